#!/usr/bin/python3
"""The minimal client against a ROUTER that plays the broker, one test per duty of SPEC.md section 14."""
import pathlib
import re
import subprocess
import sys
import threading
import unittest

import msgpack
import zmq
from minimal_client import (CREDIT, GOODBYE, HELLO, OUTCOME, PING, PONG, RECEIPT, REFUSED, SEND,
                            WELCOME, Client)

NOT_WELCOMED = 21
PATIENCE_MS = 10000


class FakeBroker:
    """Says what a test tells it to, and hands over what clients say."""

    def __init__(self):
        self.socket = zmq.Context.instance().socket(zmq.ROUTER)
        self.socket.linger = 0
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.endpoint = f"tcp://127.0.0.1:{port}"

    def get(self):
        """The next envelope from a client: (identity, [kind, to, from, id, meta, body])."""
        if not self.socket.poll(PATIENCE_MS):
            raise TimeoutError("nothing from the client")
        identity, frame = self.socket.recv_multipart()
        return identity, msgpack.unpackb(frame, strict_map_key=False)

    def expect(self, kind):
        identity, envelope = self.get()
        assert envelope[0] == kind, f"kind {envelope[0]} instead of {kind}"
        return identity, envelope

    def put(self, identity, *envelopes):
        name = identity.split(b"~")[0].decode()
        frame = b""
        for kind, id, body in envelopes:
            body = body if isinstance(body, bytes) else msgpack.packb(body)
            frame += msgpack.packb([kind, name, "", id, {}, body])
        self.socket.send_multipart([identity, frame])

    def welcome(self, first_id=1000, received=0, credit=10000, pair=5000):
        identity, hello = self.expect(HELLO)
        self.put(identity, (WELCOME, 0, {
            "version": 1, "run": "a" * 32, "epoch": 1, "first_id": first_id, "received": received,
            "credit": credit, "pair": pair, "max_envelope": 1 << 20}))
        return identity, hello

    def close(self):
        self.socket.close()


class InThread(threading.Thread):
    """Runs `work` beside the test; result() hands over what it returned or raised."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.value, self.error = work, None, None
        self.start()

    def run(self):
        try:
            self.value = self.work()
        except Exception as error:  # Raised again by result().
            self.error = error

    def result(self):
        self.join(PATIENCE_MS / 1000)
        assert not self.is_alive(), "the client is still waiting"
        if self.error:
            raise self.error
        return self.value


class MinimalClientTest(unittest.TestCase):
    def setUp(self):
        self.broker = FakeBroker()
        self.addCleanup(self.broker.close)

    def connect(self, **limits):
        connecting = InThread(lambda: Client(self.broker.endpoint, "alice", timeout=5))
        self.identity, self.hello = self.broker.welcome(**limits)
        client = connecting.result()
        self.addCleanup(lambda: client.socket.close(linger=0))
        return client

    def test_says_hello_under_a_fresh_identity(self):
        self.connect()
        self.assertRegex(self.identity.decode(), r"^alice~[0-9a-f]{32}$")
        kind, to, frm, id, meta, body = self.hello
        self.assertEqual((kind, to, frm, id, meta), (HELLO, "", "alice", 0, {}))
        fields = msgpack.unpackb(body)
        self.assertTrue(re.fullmatch("[0-9a-f]{32}", fields["instance"]))
        self.assertEqual(fields["versions"], [1])

    def test_shows_why_it_was_refused(self):
        connecting = InThread(lambda: Client(self.broker.endpoint, "alice", timeout=5))
        identity, _ = self.broker.expect(HELLO)
        self.broker.put(identity, (REFUSED, 0, {"code": 66, "name": "name-held", "text": "by bob",
                                                "retry": False}))
        with self.assertRaisesRegex(ConnectionError, "name-held.*by bob"):
            connecting.result()

    def test_ids_rise_from_the_first_given(self):
        client = self.connect(first_id=70000)
        self.assertEqual([client.send("bob", b"1"), client.send("bob", b"2")], [70000, 70001])
        for id, text in ((70000, b"1"), (70001, b"2")):
            self.assertEqual(self.broker.expect(SEND)[1], [SEND, "bob", "alice", id, {}, text])

    def test_reads_several_envelopes_of_one_frame(self):
        client = self.connect()
        self.broker.put(self.identity, (SEND, 1, b"one"), (PING, 0, b"?"), (SEND, 2, b"two"))
        self.assertEqual([client.receive()[-1], client.receive()[-1]], [b"one", b"two"])
        self.assertEqual(self.broker.expect(PONG)[1][5], b"?")

    def test_waits_for_credit(self):
        cost = len(msgpack.packb([SEND, "bob", "alice", 1000, {}, b"x"])) + 64
        client = self.connect(received=500, credit=500 + 2 * cost)
        client.send("bob", b"x")
        client.send("ann", b"x")
        third = InThread(lambda: client.send("eve", b"x"))
        self.broker.expect(SEND), self.broker.expect(SEND)
        self.assertFalse(self.broker.socket.poll(100), "the third was sent beyond the credit")
        self.broker.put(self.identity, (CREDIT, 0, [500 + 3 * cost, 5000]))
        self.assertEqual(self.broker.expect(SEND)[1][1], "eve")
        third.result()

    def test_waits_for_the_pair_limit(self):
        cost = len(msgpack.packb([SEND, "bob", "alice", 1000, {}, b"x"])) + 64
        client = self.connect(pair=cost)
        client.send("bob", b"x")
        client.send("carol", b"x")
        second = InThread(lambda: client.send("bob", b"x"))
        self.broker.expect(SEND), self.broker.expect(SEND)
        self.assertFalse(self.broker.socket.poll(100), "the second was sent beyond the pair limit")
        self.broker.put(self.identity, (RECEIPT, 0, [10000, cost, [["bob", 1000, 1]]]))
        self.assertEqual(self.broker.expect(SEND)[1][1], "bob")
        second.result()

    def test_one_envelope_of_any_size_may_go_when_nothing_is_outstanding(self):
        client = self.connect(credit=100, pair=100)
        client.send("bob", bytes(3000))
        self.assertEqual(len(self.broker.expect(SEND)[1][5]), 3000)

    def test_tells_failures_from_what_arrived(self):
        client = self.connect()
        good, bad = client.send("bob", b"x"), client.send("carol", b"x")
        self.broker.put(self.identity, (OUTCOME, bad, [11, "carol", "no peer"]),
                        (RECEIPT, 0, [20000, 5000, [["bob", good, 1], ["carol", bad, 0]]]))
        self.assertIsNone(client.outcome("bob", good))
        self.assertEqual(client.outcome("carol", bad), [11, "carol", "no peer"])

    def test_says_hello_again_when_told_so(self):
        client = self.connect(first_id=5)
        client.send("bob", b"void")
        self.broker.expect(SEND)
        self.broker.put(self.identity, (REFUSED, 0, {"code": NOT_WELCOMED, "name": "not-welcomed",
                                                     "text": "", "retry": True}))
        sending = InThread(lambda: (client.wait(lambda: not client.welcome), client.send("bob", b"y")))
        _, hello = self.broker.welcome(first_id=9)
        self.assertEqual(hello, self.hello, "the same instance")
        self.assertEqual(self.broker.expect(SEND)[1][3], 9)
        sending.result()

    def test_says_goodbye(self):
        self.connect().close()
        self.assertEqual(self.broker.expect(GOODBYE)[1][1:5], ["", "alice", 0, {}])

    def command(self, *arguments):
        script = pathlib.Path(__file__).with_name("minimal_client.py")
        return subprocess.Popen([sys.executable, script, self.broker.endpoint, "alice", *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_its_command_sends_and_reports_a_failure(self):
        with self.command("send", "bob", "hi") as process:
            identity, _ = self.broker.welcome()
            self.assertEqual(self.broker.expect(SEND)[1][5], b"hi")
            self.broker.put(identity, (OUTCOME, 1000, [11, "bob", "no peer"]))
            self.broker.expect(GOODBYE)
            self.assertEqual(process.wait(10), 1)
            self.assertIn("no peer", process.stderr.read())

    def test_its_command_prints_what_it_receives(self):
        with self.command("recv", "2") as process:
            identity, _ = self.broker.welcome()
            self.broker.put(identity, (SEND, 1, b"one"), (SEND, 2, b"two"))
            self.broker.expect(GOODBYE)
            self.assertEqual(process.wait(10), 0)
            self.assertEqual(process.stdout.read(), "one\ntwo\n")


if __name__ == "__main__":
    unittest.main()
