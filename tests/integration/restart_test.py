#!/usr/bin/python3
"""Broker and peers are killed in the middle of traffic: nothing is lost or doubled in silence."""
import collections
import signal
import unittest

from raw_peer import Code
from support import Case, scaled, wait_until

NONE, DELIVERED, NO_PEER, LOST = 0, Code.DELIVERED, Code.NO_PEER, Code.LOST


class BrokerRestartTest(Case):
    def through_restarts(self, number, restarts, **options):
        """A flow from alice to bob, interrupted at even distances."""
        broker = self.start_broker()
        count = scaled(1_000_000, 5_000_000)
        bob = self.start_receiver("bob", broker, count)
        alice = self.start_sender("alice", broker, count, "bob", **options)
        for restart in range(restarts):
            bob.wait_progress(count * (restart + 1) // (restarts + 2))
            broker.process.signal(number)
            code = broker.process.exit_code()
            self.assertEqual(code, 0 if number == signal.SIGTERM else -number)
            # Without a broker: after it, all may be there before this looks.
            self.assertLess(bob.progress(), count, "the restart came in the middle")
            broker.start()
            bob.wait_for("connected", restart + 2)
        sent, received = alice.result(), bob.result()
        self.check_arrived_once_and_in_order(bob, received, count)
        self.check_all_delivered(alice, sent, count)
        for worker in (alice, bob):
            connected = worker.events("connected")
            self.assertEqual([e["new_run"] for e in connected], [False] + [True] * restarts)
        counters = self.check_quiet(broker)
        self.assertEqual(counters["failed"] - counters["failed_by"].get("no-peer", 0), 0)

    def test_all_arrive_once_and_in_order_through_three_kills_of_the_broker(self):
        self.through_restarts(signal.SIGKILL, 3, span=20)

    def test_all_arrive_once_and_in_order_when_envelopes_are_sent_one_by_one(self):
        self.through_restarts(signal.SIGKILL, 1, size=200)

    def test_all_arrive_once_and_in_order_through_three_terminations_of_the_broker(self):
        self.through_restarts(signal.SIGTERM, 3, span=20)

    def test_pairs_in_both_directions_survive_a_kill_of_the_broker(self):
        broker = self.start_broker()
        count = scaled(200_000, 1_000_000)
        receivers = [self.start_receiver(f"r{i}", broker, count) for i in range(3)]
        senders = [self.start_sender(f"s{i}", broker, count, f"r{i}", size=[10, 3000], span=span)
                   for i, span in enumerate((0, 7, 100))]
        for receiver in receivers:
            receiver.wait_progress(count // 4)
        broker.restart()
        for sender in senders:
            self.check_all_delivered(sender, sender.result(), count)
        for receiver in receivers:
            self.check_arrived_once_and_in_order(receiver, receiver.result(), count)


    def test_a_recipient_that_takes_nothing_stops_nobody_else_after_a_restart(self):
        broker = self.start_broker("--silence", "60s")
        self.join(broker, "idle", abilities=["acks"])  # And never does.
        count = scaled(100_000, 500_000)
        carol = self.start_receiver("carol", broker, count // 2)
        alice = self.start_sender("alice", broker, count, ["idle", "carol"], size=[1000, 100],
                                  skip_blocked=True, rate=40_000)
        carol.wait_progress(count // 8)
        broker.restart()
        self.join(broker, "idle", abilities=["acks"])
        self.check_arrived_once_and_in_order(carol, carol.result(), count // 2)
        self.assertGreater(self.stats(broker)["counters"]["held"], 100, "what idle does not take")
        alice.kill()


class PeerKillTest(Case):
    def test_what_a_killed_recipient_did_not_take_is_told_as_lost_or_no_peer(self):
        broker = self.start_broker("--resume", "1s")
        count = scaled(400_000, 2_000_000)
        bob = self.start_receiver("bob", broker, count)
        alice = self.start_sender("alice", broker, count, "bob", span=20)
        bob.wait_progress(count // 4)
        bob.kill()
        result = alice.result()
        self.assertTrue(result["settled"])
        self.assertEqual((result["told_twice"], result["stray"]), (0, 0))

        arrived = [sequence for _, sequence, _ in bob.entries()]
        self.assertEqual(arrived, list(range(len(arrived))), "a prefix, in order")
        sent = alice.entries()
        outcomes = [entry[3] for entry in sent]
        by_outcome = collections.Counter(outcomes)
        self.assertEqual(set(by_outcome) - {DELIVERED, LOST, NO_PEER}, set(), by_outcome)
        self.assertEqual(sum(by_outcome.values()), count)
        # Delivered, then what was in its hands or waiting for it, then what came later.
        self.assertEqual(outcomes, sorted(outcomes, key=[DELIVERED, LOST, NO_PEER].index))
        # Taken but not acknowledged: `lost` for the sender, since the broker cannot know.
        delivered, lost = by_outcome[DELIVERED], by_outcome[LOST]
        unacknowledged = len(arrived) - delivered
        self.assertGreaterEqual(unacknowledged, 0, "all that was delivered did arrive")
        self.assertLessEqual(unacknowledged, lost)
        self.assertEqual(len(arrived) - unacknowledged + lost + by_outcome[NO_PEER], count)
        counters = self.check_quiet(broker)
        self.assertEqual({name: counters["failed_by"].get(name, 0) for name in ("lost", "no-peer")},
                         {"lost": lost, "no-peer": by_outcome[NO_PEER]})

    def test_a_killed_sender_leaves_a_prefix_in_order_at_its_recipient(self):
        broker = self.start_broker("--resume", "1s")
        count = scaled(400_000, 2_000_000)
        bob = self.start_receiver("bob", broker, count)
        alice = self.start_sender("alice", broker, count, "bob", span=20)
        bob.wait_progress(count // 4)
        alice.kill()
        self.check_quiet(broker)
        wait_until(lambda: "left name=alice" in broker.log(), "alice is gone for good")
        bob.process.signal(signal.SIGTERM)
        result = bob.result()
        self.check_arrived_once_and_in_order(bob, result, result["arrived"])
        sent = alice.entries()
        delivered = sum(entry[3] == DELIVERED for entry in sent)
        self.assertGreaterEqual(result["arrived"], delivered)
        # What it handed over in its last call may be missing in its own ledger.
        self.assertLessEqual(result["arrived"], len(sent) + 20)
        counters = self.check_quiet(broker)
        self.assertEqual(counters["failed"], 0)

    def test_a_killed_pair_leaves_nothing_behind(self):
        broker = self.start_broker("--resume", "500ms")
        count = scaled(400_000, 2_000_000)
        bob = self.start_receiver("bob", broker, count)
        alice = self.start_sender("alice", broker, count, "bob")
        bob.wait_progress(count // 4)
        alice.kill()
        bob.kill()
        wait_until(lambda: "left name=alice" in broker.log() and "left name=bob" in broker.log(),
                   "both are gone")
        self.assertEqual(self.check_quiet(broker)["held"], 0)
        self.check_alive(broker)


if __name__ == "__main__":
    unittest.main()
