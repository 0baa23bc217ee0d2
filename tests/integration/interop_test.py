#!/usr/bin/python3
"""The minimal client of tests/interop with a real broker: with itself, with the library, with zpost-peer."""
import pathlib
import signal
import sys
import unittest

import msgpack
from support import BIN, Case, scaled, wait_until

INTEROP = pathlib.Path(__file__).resolve().parent.parent / "interop"
sys.path.insert(0, str(INTEROP))
from minimal_client import REPLY, REQUEST, SEND, Client  # noqa: E402


def worker_body(sequence, size):
    """As pair_worker.cpp writes them."""
    head = sequence.to_bytes(4, "little")
    return head + bytes((sequence * 31 + i) & 255 for i in range(4, size))


class InteropTest(Case):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()

    def client(self, name):
        client = Client(self.broker.endpoint, name, timeout=20)
        self.addCleanup(client.socket.close, 0)
        return client

    def command(self, name, *arguments):
        return self.start(name, [sys.executable, INTEROP / "minimal_client.py",
                                 self.broker.endpoint, name, *arguments])

    def wait_for_peer(self, name):
        def here():
            peer = self.raw(self.broker, "looker")
            peer.join(wait_for_name=True)  # Its goodbye may be read after its next hello.
            names = [p["name"] for p in peer.ask({"op": "who"})["peers"]]
            peer.goodbye()
            peer.disconnect()
            return name in names
        wait_until(here, f"{name} is here", pause=0.05)

    def test_its_commands_talk_to_each_other(self):
        bob = self.command("bob", "recv", "2")
        self.wait_for_peer("bob")
        for text in ("hello", "bob"):
            self.assertEqual(self.command("alice", "send", "bob", text).exit_code(), 0)
        self.assertEqual(bob.exit_code(), 0)
        self.assertEqual(bob.out(), "hello\nbob\n")
        nobody = self.command("alice", "send", "nobody", "hello")
        self.assertEqual(nobody.exit_code(), 1)
        self.assertIn("failed: [11, 'nobody'", nobody.err())

    def test_it_sends_to_a_library_peer_within_its_credit(self):
        count = scaled(1000, 10_000)
        bob = self.start_receiver("bob", self.broker, count)
        alice = self.client("alice")
        for number in range(count):
            last = alice.send("bob", worker_body(number, 500))
        self.assertIsNone(alice.outcome("bob", last))
        self.assertEqual(alice.failures, {})
        self.check_arrived_once_and_in_order(bob, bob.result(), count)
        alice.close()

    def test_it_receives_from_a_library_peer_that_sends_bundles(self):
        count = scaled(2000, 20_000)
        bob = self.client("bob")
        alice = self.start_sender("alice", self.broker, count, "bob", span=50)
        for number in range(count):
            kind, frm, _, _, body = bob.receive()
            self.assertEqual((kind, frm, body), (SEND, "alice", worker_body(number, 64)))
        self.assertEqual(alice.result()["outcomes"], {"unconfirmed": count})
        bob.close()

    def test_the_broker_answers_its_question(self):
        alice = self.client("alice")
        id = alice.send("", msgpack.packb({"op": "who"}), kind=REQUEST)
        kind, frm, _, meta, body = alice.receive()
        self.assertEqual((kind, frm, meta), (REPLY, "", {4: id}))
        self.assertEqual([p["name"] for p in msgpack.unpackb(body)["peers"]], ["alice"])
        alice.close()

    @unittest.skipUnless((BIN / "zpost-peer").exists(), "zpost-peer is not built")
    def test_a_command_behind_zpost_peer_serve_answers_it(self):
        self.start("upper", [BIN / "zpost-peer", "serve", "--endpoint", self.broker.endpoint, "--as",
                             "upper", "--", "tr", "a-z", "A-Z"])
        self.wait_for_peer("upper")
        alice = self.client("alice")
        id = alice.send("upper", b"shout", kind=REQUEST)
        kind, frm, _, meta, body = alice.receive()
        self.assertEqual((kind, frm, meta[4], body), (REPLY, "upper", id, "SHOUT"))
        alice.close()

    def test_it_says_hello_again_after_a_restart_of_the_broker(self):
        alice = self.client("alice")
        run = alice.welcome["run"]
        self.broker.restart(signal.SIGKILL)
        bob = self.client("bob")

        def arrived():
            # What it sends before it is told may be void: it is the simple kind of client.
            alice.send("bob", b"there?")
            alice.socket.poll(50)
            bob.timeout = 0.1
            try:
                return bob.receive()
            except TimeoutError:
                return None
        self.assertEqual(wait_until(arrived, "bob hears alice")[-1], b"there?")
        self.assertNotEqual(alice.welcome["run"], run)


if __name__ == "__main__":
    unittest.main()
