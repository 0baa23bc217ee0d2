"""Records what TCP connections carry, and writes it as a capture file of packets, as tcpdump would.

The headers are made up: tests may not listen on interfaces.
"""
import struct
import threading
import time

from relay import TO_BROKER, Connection, Relay

PORT = 1235  # What the broker's port is in the file: not the dissector's default one.


class RecordingConnection(Connection):
    def copy(self, source, target, flowing, borders):
        direction = TO_BROKER if source is self.client else 1 - TO_BROKER
        super().copy(Tee(source, self.relay.record(self, direction)), target, flowing, borders)


class Tee:
    """A socket that also tells what was received."""

    def __init__(self, source, note):
        self.source, self.note = source, note

    def recv(self, size):
        data = self.source.recv(size)
        self.note(data)
        return data

    def __getattr__(self, name):
        return getattr(self.source, name)


class RecordingRelay(Relay):
    connection_class = RecordingConnection

    def __init__(self, broker_port):
        self.recorded = []  # (time, number of the connection, direction, bytes)
        self.numbers = {}
        self.lock = threading.Lock()
        super().__init__(broker_port)

    def record(self, connection, direction):
        with self.lock:
            number = self.numbers.setdefault(connection, len(self.numbers))

        def note(data):
            if data:
                self.recorded.append((time.time(), number, direction, bytes(data)))
        return note


def recording_relay(endpoint):
    return RecordingRelay(int(endpoint.rpartition(":")[2]))


class TcpFile:
    def __init__(self, path, segment):
        """`segment`: the most bytes of a packet."""
        self.path, self.segment = path, segment

    def write(self, recorded):
        sequences = {}
        with open(self.path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 1 << 16, 101))  # Raw IP.
            for when, number, direction, data in list(recorded):
                there = sequences.setdefault((number, direction), 1)
                back = sequences.setdefault((number, 1 - direction), 1)
                for at in range(0, len(data), self.segment):
                    part = data[at:at + self.segment]
                    self.put(file, when, self.packet(number, direction, there + at, back, part))
                sequences[number, direction] = there + len(data)

    @staticmethod
    def put(file, when, packet):
        file.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(packet), len(packet)))
        file.write(packet)

    @staticmethod
    def packet(number, direction, sequence, acknowledged, data):
        ports = (40000 + number, PORT)
        source, target = ports if direction == TO_BROKER else ports[::-1]
        tcp = struct.pack("!HHIIBBHHH", source, target, sequence, acknowledged, 5 << 4, 0x18, 65535,
                          0, 0)
        size = 20 + len(tcp) + len(data)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
        return ip + tcp + data
