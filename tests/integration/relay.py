"""A TCP relay that a test can make faulty: cut, cut between frames, stall, delay.

It knows ZMTP 3's framing, so that a connection can be cut where a frame ends: what the network does
to a peer that just handed a whole frame over.
"""
import select
import socket
import threading
import time

GREETING = 64
LONG_SIZE, COMMAND = 0x02, 0x04

TO_BROKER, TO_PEER = 0, 1  # Directions.


class FrameBorders:
    """Finds where ZMTP frames end in a stream of bytes."""

    def __init__(self):
        self.greeting = GREETING  # Bytes of it to come. Both ends wait for each other in it.
        self.missing = 0          # Of the frame that has begun.
        self.header = b""         # Of a frame whose size is not known yet.
        self.messages = self.commands = 0  # Frames that have begun. READY is a command.

    def last_border(self, data):
        """How many bytes of `data` may be passed on: up to the last border in it."""
        at = border = min(self.greeting, len(data))
        self.greeting -= at
        while at < len(data):
            if self.missing:
                step = min(self.missing, len(data) - at)
                self.missing -= step
                at += step
            else:
                self.header += data[at:at + 1]
                at += 1
                size = self.size()
                if size is None:
                    continue
                self.count()
                self.header, self.missing = b"", size
            if not self.missing and not self.header:
                border = at
        return border

    def count(self):
        if self.header[0] & COMMAND:
            self.commands += 1
        else:
            self.messages += 1

    def size(self):
        wide = self.header[0] & LONG_SIZE
        if len(self.header) < (9 if wide else 2):
            return None
        return int.from_bytes(self.header[1:], "big")


class Connection:
    """One accepted connection and the one to the broker, each with a thread that copies."""

    def __init__(self, relay, client):
        self.relay = relay
        self.client = client
        self.broker = socket.create_connection(("127.0.0.1", relay.broker_port), timeout=10)
        self.broker.settimeout(None)
        self.flowing = (threading.Event(), threading.Event())  # By direction.
        if not relay.stalls_new:
            self.flow()
        self.borders = (FrameBorders(), FrameBorders())  # By direction. Only with `whole_frames`.
        self.dying = False   # Ends at the next border between frames, in each direction.
        self.ended = 0
        self.lock = threading.Lock()
        for direction, source, target in ((TO_BROKER, client, self.broker),
                                          (TO_PEER, self.broker, client)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.copy, args=(source, target, self.flowing[direction],
                                                     self.borders[direction]), daemon=True).start()

    def flow(self):
        for direction in self.flowing:
            direction.set()

    def copy(self, source, target, flowing, borders):
        rest = b""  # Read but not passed on: the beginning of a frame.
        try:
            while True:
                flowing.wait()
                if self.dying:
                    break
                # Not recv alone: a dying connection must end though nothing comes.
                if not select.select([source], [], [], 0.02)[0]:
                    continue
                data = source.recv(1 << 18)
                if not data:
                    break
                if self.relay.delay:
                    time.sleep(self.relay.delay)
                flowing.wait()
                if self.relay.whole_frames:
                    border = borders.last_border(data)
                    if border == 0:
                        rest += data
                        continue
                    data, rest = rest + data[:border], data[border:]
                target.sendall(data)
        except (OSError, ValueError):
            pass
        self.end()

    def end(self):
        """When both directions are through, or one was closed: both sockets go."""
        with self.lock:
            self.ended += 1
            if self.dying and self.ended < 2:
                return
        self.cut()
        # Not before: a descriptor that is used again would get what a copy still has in hand.
        if self.ended == 2:
            self.client.close()
            self.broker.close()

    def cut(self):
        self.flow()
        for side in (self.client, self.broker):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Relay:
    """Listens on a port of its own in front of a broker."""

    connection_class = Connection

    def __init__(self, broker_port, whole_frames=False, host="127.0.0.1"):
        """With `whole_frames` nothing but whole ZMTP frames is ever passed on."""
        self.broker_port, self.whole_frames, self.delay = broker_port, whole_frames, 0
        self.connections = []
        self.stalls_new = False  # What is connected from now on is half-open until heal().
        self.closed = False
        self.listener = socket.create_server((host, 0), backlog=128)
        self.endpoint = f"tcp://{host}:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.closed:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                self.connections.append(self.connection_class(self, client))
            except OSError:
                client.close()  # The broker is not there.

    def cut(self):
        """Closes every connection now, wherever it is. How many there were."""
        taken = self._take()
        for connection in taken:
            connection.cut()
        return len(taken)

    def cut_between_frames(self):
        """Closes every connection where frames end. Only with `whole_frames`."""
        assert self.whole_frames
        taken = self._take()
        for connection in taken:
            connection.dying = True
            connection.flow()
        return len(taken)

    def stall(self, directions=(TO_BROKER, TO_PEER)):
        """Nothing passes any more, nothing is closed: half-open. New connections are well.

        How many there are."""
        live = [connection for connection in self.connections if not connection.ended]
        for connection in live:
            for direction in directions:
                connection.flowing[direction].clear()
        return len(live)

    def heal(self):
        self.stalls_new = False
        for connection in self.connections:
            connection.flow()

    def close(self):
        self.closed = True
        self.listener.close()
        self.cut()

    def _take(self):
        taken, self.connections = self.connections, []
        return [connection for connection in taken if connection.ended < 2]
