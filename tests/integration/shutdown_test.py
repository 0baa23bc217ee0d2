#!/usr/bin/python3
"""How a broker starts, where it listens, and how it stops."""
import signal
import subprocess
import time
import unittest

from raw_peer import Code, Kind, cost
from support import BROKER, PATIENCE, Case, scaled, wait_until


class ShutdownTest(Case):
    def test_told_to_stop_it_says_goodbye_to_everyone_and_exits_with_0(self):
        broker = self.start_broker()
        peers = [self.join(broker, name) for name in ("alice", "bob", "carol")]
        broker.process.signal(signal.SIGTERM)
        for peer in peers:
            told = peer.expect(Kind.GOODBYE).fields()
            self.assertEqual((told["code"], told["name"], told["retry"]),
                             (Code.DRAINING, "draining", True))
        self.assertEqual(broker.process.exit_code(), 0)

    def test_an_interrupt_is_the_same_as_being_told_to_stop(self):
        broker = self.start_broker()
        alice = self.join(broker, "alice")
        broker.process.signal(signal.SIGINT)
        alice.expect(Kind.GOODBYE)
        self.assertEqual(broker.process.exit_code(), 0)

    def test_what_was_sent_before_is_still_taken_and_told(self):
        broker = self.start_broker()
        alice = self.join(broker, "alice")
        bob = self.join(broker, "bob", abilities=["acks"])
        id = alice.send("bob", b"the last one")
        bob.expect(Kind.SEND)
        broker.process.signal(signal.SIGTERM)
        wait_until(lambda: "draining" in broker.log(), "it drains")
        newcomer = self.raw(broker, "carol")
        newcomer.hello()
        newcomer.expect_refused(Code.DRAINING)
        late = alice.send("bob", b"too late")
        self.assertEqual(alice.outcome_of("bob", late), Code.DRAINING)
        bob.ack()
        self.assertEqual(alice.outcome_of("bob", id), Code.DELIVERED)
        bob.expect(Kind.GOODBYE)
        alice.expect(Kind.GOODBYE)
        self.assertEqual(broker.process.exit_code(), 0)

    def test_a_recipient_that_never_acknowledges_does_not_keep_it_up(self):
        broker = self.start_broker("--drain-time", "1s")
        alice = self.join(broker, "alice")
        bob = self.join(broker, "bob", abilities=["acks"])
        alice.send("bob", b"never acknowledged")
        bob.expect(Kind.SEND)
        begin = time.monotonic()
        broker.process.signal(signal.SIGTERM)
        self.assertEqual(broker.process.exit_code(), 0)
        self.assertLess(time.monotonic() - begin, 1 + PATIENCE / 4)
        bob.expect(Kind.GOODBYE)

    def test_told_twice_it_stops_at_once(self):
        broker = self.start_broker("--drain-time", "60s")
        alice = self.join(broker, "alice")
        bob = self.join(broker, "bob", abilities=["acks"])
        alice.send("bob", b"never acknowledged")
        bob.expect(Kind.SEND)
        broker.process.signal(signal.SIGTERM)
        wait_until(lambda: "draining" in broker.log(), "it drains")
        self.assertTrue(broker.process.alive())
        begin = time.monotonic()
        broker.process.signal(signal.SIGTERM)
        self.assertEqual(broker.process.exit_code(), 0)
        self.assertLess(time.monotonic() - begin, PATIENCE / 4)

    def test_a_stopped_peer_does_not_keep_it_up(self):
        broker = self.start_broker("--drain-time", "1s")
        count = scaled(100_000, 100_000)
        bob = self.start_receiver("bob", broker, count)
        alice = self.start_sender("alice", broker, count, "bob", size=1000)
        bob.wait_progress(1000)
        bob.process.pause()
        begin = time.monotonic()
        broker.process.signal(signal.SIGTERM)
        self.assertEqual(broker.process.exit_code(), 0)
        self.assertLess(time.monotonic() - begin, 1 + PATIENCE / 4)
        alice.kill()
        bob.kill()


class ListenTest(Case):
    def refuse(self, *arguments):
        """What it says when it does not start."""
        done = subprocess.run([BROKER, "--state", self.folder / "state", *arguments],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("listening", done.stdout)
        said = [line for line in done.stderr.splitlines() if line.startswith("zpost-broker: ")]
        self.assertEqual(len(said), 1, done.stderr)
        return said[0]

    def exchange(self, one, other):
        alice, bob = self.join(one, "alice"), self.join(other, "bob")
        alice.send("bob", b"across")
        self.assertEqual(bob.expect(Kind.SEND).body, b"across")

    def test_peers_at_two_endpoints_reach_each_other(self):
        ipc = f"ipc://{self.folder}/broker"
        broker = self.start_broker(listen=["tcp://127.0.0.1:*", ipc, "tcp://127.0.0.1:*"])
        self.assertEqual(broker.endpoints[1], ipc)
        self.exchange(broker.endpoints[0], broker.endpoints[1])
        self.exchange_others(broker)

    def exchange_others(self, broker):
        carol, dave = self.join(broker.endpoints[2], "carol"), self.join(broker.endpoints[1], "dave")
        dave.send("carol", b"back")
        self.assertEqual(carol.expect(Kind.SEND).body, b"back")

    def test_it_starts_again_where_a_killed_one_left_its_ipc_file(self):
        ipc = f"ipc://{self.folder}/broker"
        broker = self.start_broker(listen=[ipc])
        broker.restart()
        self.exchange(ipc, ipc)

    def test_library_peers_reach_each_other_over_ipc(self):
        broker = self.start_broker(listen=[f"ipc://{self.folder}/broker"])
        count = scaled(20_000, 200_000)
        bob = self.start_receiver("bob", broker, count)
        alice = self.start_sender("alice", broker, count, "bob", span=10)
        bob.wait_progress(count // 2)
        broker.restart()
        self.check_all_delivered(alice, alice.result(), count)
        self.check_arrived_once_and_in_order(bob, bob.result(), count)

    def test_beyond_loopback_it_listens_only_when_told_that_this_is_insecure(self):
        for endpoint in ("tcp://0.0.0.0:*", "tcp://*:*", "tcp://[::]:*"):
            said = self.refuse("--listen", endpoint)
            self.assertIn("--insecure", said)
        broker = self.start_broker("--insecure", listen=["tcp://0.0.0.0:*"])
        self.exchange(f"tcp://127.0.0.1:{broker.port}", f"tcp://127.0.0.1:{broker.port}")
        broker.endpoints = [f"tcp://127.0.0.1:{broker.port}"]  # Where it is asked for its balance.

    def test_a_port_in_use_is_said_in_one_line(self):
        broker = self.start_broker()
        self.assertIn(str(broker.port), self.refuse("--listen", broker.endpoint))

    def test_an_endpoint_that_is_none_is_said_in_one_line(self):
        for endpoint in ("127.0.0.1:1234", "tcp://127.0.0.1", "udp://127.0.0.1:1", "ipc://",
                         "tcp://127.0.0.1:99999"):
            self.assertIn(endpoint, self.refuse("--listen", endpoint))

    def test_a_wrong_flag_value_is_said_in_one_line(self):
        self.assertIn("--silence", self.refuse("--silence", "soon"))
        self.assertIn("--memory", self.refuse("--memory", "much"))


if __name__ == "__main__":
    unittest.main()
