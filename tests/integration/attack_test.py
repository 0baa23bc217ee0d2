#!/usr/bin/python3
"""Peers that keep no rule at all: the broker stays small and goes on serving others."""
import resource
import socket
import struct
import threading
import time
import unittest

from raw_peer import Code, Kind, identity_of, pack
from support import PATIENCE, SANITIZED, Case, scaled, wait_until

MEMORY = 128 << 20
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)


def frame(body, more=False, command=False):
    flags = (1 if more else 0) | (4 if command else 0)
    if len(body) > 255:
        return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body
    return bytes([flags, len(body)]) + body


def ready(identity):
    properties = b""
    for name, value in ((b"Socket-Type", b"DEALER"), (b"Identity", identity)):
        properties += bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
    return frame(b"\x05READY" + properties, command=True)


class Bystanders:
    """Two peers that exchange envelopes in a thread all along, and note how long it took.

    While the broker is beyond its memory it may say that it is full, but it must say something."""

    def __init__(self, case, broker):
        self.alice, self.bob = case.join(broker, "alice"), case.join(broker, "bob")
        self.longest, self.count, self.full, self.error = 0, 0, 0, None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.stopping.is_set():
                begin = time.monotonic()
                id = self.alice.send("bob", b"x" * 100)
                if self.alice.outcome_of("bob", id) == Code.FULL:
                    self.full += 1
                else:
                    self.bob.expect(Kind.SEND, lambda e: e.id == id)
                    self.count += 1
                self.alice.seen.clear()
                self.longest = max(self.longest, time.monotonic() - begin)
                self.stopping.wait(0.005)
        except AssertionError as error:
            self.error = error

    def stop(self):
        self.stopping.set()
        self.thread.join(2 * PATIENCE)
        return self


class AttackTest(Case):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker("--memory", "128MiB")
        self.bystanders = Bystanders(self, self.broker)
        self.addCleanup(self.bystanders.stop)

    def check_bystanders(self):
        """They are served now, and were all along."""
        served = self.bystanders.count
        wait_until(lambda: self.bystanders.error or self.bystanders.count > served + 5,
                   "bystanders are served")
        bystanders = self.bystanders.stop()
        self.assertIsNone(bystanders.error)
        self.assertLess(bystanders.longest, PATIENCE / 4)

    def plain(self, identity=None):
        """A TCP connection that speaks ZMTP by hand, past the handshake."""
        connection = socket.create_connection(("127.0.0.1", self.broker.port), timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.sendall(GREETING + ready(identity or identity_of("eve")))
        # What comes before the broker's half of the handshake is done is lost.
        answer = b""
        while b"READY" not in answer:
            answer += connection.recv(1000)
        return connection

    def push(self, connection, data, limit):
        """Sends `data` again and again until `limit` bytes are gone or the other end had enough.
        True: it had."""
        connection.settimeout(3)
        sent = 0
        try:
            while sent < limit:
                sent += connection.send(data)
        except OSError:
            return True
        return False

    def check_memory(self, most):
        if not SANITIZED:
            self.assertLess(self.broker.process.peak_memory(), most)

    def test_a_message_of_endless_parts_is_cut_off(self):
        connection = self.plain()
        part = frame(bytes(200_000), more=True)
        ended = self.push(connection, part, 2 << 30)
        self.assertTrue(ended, "2 GiB were swallowed")
        # What it sends between two looks of the broker comes on top of the limit.
        self.check_memory(MEMORY + (512 << 20))
        self.check_bystanders()
        if not SANITIZED:
            wait_until(lambda: self.broker.process.memory() < MEMORY, "the memory comes back")

    def test_a_message_of_endless_tiny_parts_is_cut_off(self):
        connection = self.plain()
        ended = self.push(connection, frame(b"", more=True) * 50_000, 1 << 30)
        self.assertTrue(ended, "1 GiB were swallowed")
        self.check_memory(MEMORY + (512 << 20))
        self.check_bystanders()

    def test_endless_tiny_parts_of_a_peer_with_credit_are_cut_off(self):
        peers = self.stats(self.broker)["peers"]
        connection = self.plain(identity_of("eve"))
        hello = pack(Kind.HELLO, frm="eve", body={"instance": "e" * 32, "versions": [1]})
        connection.sendall(frame(hello))
        wait_until(lambda: self.stats(self.broker)["peers"] > peers, "eve is welcome")
        ended = self.push(connection, frame(b"", more=True) * 50_000, 1 << 30)
        self.assertTrue(ended, "1 GiB were swallowed")
        self.check_memory(MEMORY + (512 << 20))
        self.check_bystanders()

    def test_floods_of_empty_frames_are_held_back(self):
        # Each is whole and means nothing. In libzmq's hands two bytes are sixty-four.
        floods = [threading.Thread(target=self.push, args=(
            self.plain(), frame(b"") * 50_000, scaled(4, 100) << 20)) for _ in range(4)]
        for flood in floods:
            flood.start()
        for flood in floods:
            flood.join()
        self.check_memory(MEMORY)
        self.check_bystanders()

    def test_a_part_of_endless_length_is_cut_off(self):
        connection = self.plain()
        connection.sendall(bytes([2]) + struct.pack(">Q", 1 << 62))
        self.assertTrue(self.push(connection, bytes(1 << 16), 1 << 30))
        self.check_memory(MEMORY)
        self.check_bystanders()

    def test_connections_that_never_say_a_word_do_no_harm(self):
        count = 2000
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 500, most), most))
        mute = []
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self.broker.port), timeout=PATIENCE)
            self.addCleanup(connection.close)
            mute.append(connection)
        self.check_alive(self.broker)
        self.check_bystanders()
        self.check_memory(MEMORY)

    def test_a_storm_of_connections_is_weathered(self):
        for number in range(scaled(1000, 10_000)):
            connection = socket.create_connection(("127.0.0.1", self.broker.port), timeout=PATIENCE)
            if number % 3 == 1:
                connection.sendall(GREETING + ready(identity_of("storm")))
            elif number % 3 == 2:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            connection.close()
        self.check_alive(self.broker)
        self.check_bystanders()
        self.check_memory(MEMORY)

    def test_a_storm_of_hellos_under_one_name_leaves_one_session(self):
        for _ in range(scaled(300, 3000)):
            peer = self.raw(self.broker, "storm")
            peer.hello()
            peer.disconnect()
        wait_until(lambda: self.stats(self.broker)["peers"] <= 3, "the storm is over")
        self.check_bystanders()
        self.check_memory(MEMORY)

    def test_many_sessions_at_once_are_served(self):
        peers = [self.join(self.broker, f"peer{i}") for i in range(scaled(300, 900))]
        for peer, other in zip(peers, peers[1:] + peers[:1]):
            peer.send(other.name, b"round")
        for peer in peers:
            self.assertEqual(peer.expect(Kind.SEND).body, b"round")
            peer.goodbye()
        self.check_bystanders()

    def test_a_peer_that_never_reads_is_ended_or_bounded(self):
        # What it asks for makes the broker speak, and it reads none of it.
        connection = self.plain(identity_of("eve"))
        hello = pack(Kind.HELLO, frm="eve", body={"instance": "e" * 32, "versions": [1]})
        ask = pack(Kind.REQUEST, "", "eve", 0, {}, {"op": "who"})
        connection.sendall(frame(hello))
        ping = pack(Kind.PING, frm="eve", body=b"x" * 64)
        self.push(connection, frame(ping) * 1000 + frame(ask) * 10, scaled(50, 500) << 20)
        self.check_memory(MEMORY)
        self.check_bystanders()

    def test_a_flood_that_ignores_credit_is_ended(self):
        eve = self.join(self.broker, "eve")
        self.join(self.broker, "victim", abilities=["acks"])
        for _ in range(5000):
            eve.put(eve.payload("victim", bytes(30_000)))
        eve.expect_refused(Code.VIOLATIONS)
        self.check_memory(MEMORY)
        self.check_bystanders()

    def test_a_peer_that_never_acknowledges_outcomes_uses_up_its_own_credit_only(self):
        eve = self.join(self.broker, "eve", abilities=["acks"])

        def refused():
            ended = any(envelope.kind == Kind.REFUSED and
                        envelope.fields()["code"] == Code.VIOLATIONS for envelope in eve.seen)
            return ended or any(fields[0] == Code.OVER_CREDIT for fields in eve.failures.values())

        for _ in range(5000):
            eve.send("nobody", b"x" * 100)
            while eve.pump(0):
                pass
            if refused():
                break
        eve.pump_until(refused, "the outcome over-credit, or its end")
        self.check_memory(MEMORY)
        self.check_bystanders()


if __name__ == "__main__":
    unittest.main()
