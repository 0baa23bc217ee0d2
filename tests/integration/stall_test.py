#!/usr/bin/python3
"""A recipient that stands still stops only what is sent to it, and the broker stays small."""
import collections
import signal
import time
import unittest

from raw_peer import Code, Kind
from support import LONG, SANITIZED, Case, scaled, wait_until

MEMORY = 256 << 20


class StallTest(Case):
    def setUp(self):
        super().setUp()
        self.count = scaled(100_000, 1_000_000)

    def stopped_for(self, broker, stopped_until, size=1024):
        """bob is stopped in the middle of what alice sends him, until the condition holds, while
        dave goes on receiving from carol. Returns (alice, bob)."""
        bob = self.start_receiver("bob", broker, self.count)
        dave = self.start_receiver("dave", broker, 10 * self.count)
        carol = self.start_sender("carol", broker, 10 * self.count, "dave", span=20, rate=50_000)
        alice = self.start_sender("alice", broker, self.count, "bob", span=20, size=size)
        bob.wait_progress(self.count // 10)
        bob.process.pause()
        before = dave.progress()
        stopped_until()
        # Well over half of the rate is enough to see that others are not in the way.
        dave.wait_progress(before + 25_000)
        bob.process.go_on()
        return alice, bob, (carol, dave)

    def check_others(self, broker, others):
        """The pair that goes on is ended, and had no failure until then."""
        carol, dave = others
        self.assertEqual([e["event"] for e in dave.events()].count("lost"), 0)
        carol.process.signal(signal.SIGTERM)
        result = carol.result()
        self.assertEqual(result["failed"], 0)
        dave.wait_progress(result["sent"])
        dave.process.signal(signal.SIGTERM)
        received = dave.result()
        self.check_arrived_once_and_in_order(dave, received, result["sent"])
        if not SANITIZED:
            self.assertLess(broker.process.peak_memory(), MEMORY)

    def test_below_silence_all_arrive_once_and_in_order(self):
        broker = self.start_broker("--memory", "256MiB", "--silence", "20s", "--resume", "20s")
        seconds = 15 if LONG else 1
        alice, bob, others = self.stopped_for(broker, lambda: time.sleep(seconds))
        self.check_all_delivered(alice, alice.result(), self.count)
        self.check_arrived_once_and_in_order(bob, bob.result(), self.count)
        self.assertNotIn("away name=bob", broker.log())
        self.check_others(broker, others)

    def test_above_silence_but_below_resume_all_arrive_once_and_in_order(self):
        broker = self.start_broker("--memory", "256MiB", "--heartbeat", "200ms", "--silence", "1s",
                                   "--resume", "60s")

        def until():
            wait_until(lambda: "away name=bob" in broker.log(), "the broker finds bob away")
            if LONG:
                time.sleep(15)

        alice, bob, others = self.stopped_for(broker, until)
        self.check_all_delivered(alice, alice.result(), self.count)
        self.check_arrived_once_and_in_order(bob, bob.result(), self.count)
        self.check_others(broker, others)

    def test_beyond_resume_arrived_and_lost_are_all_that_was_sent(self):
        broker = self.start_broker("--memory", "256MiB", "--heartbeat", "200ms", "--silence", "1s",
                                   "--resume", "1s")
        alice, bob, others = self.stopped_for(
            broker, lambda: wait_until(lambda: "left name=bob" in broker.log(), "bob is given up"))
        result = alice.result()
        bob.wait_for("connected", 2)
        bob.process.signal(signal.SIGTERM)
        received = bob.result()
        self.assertEqual((result["settled"], result["told_twice"], result["stray"]), (True, 0, 0))
        self.assertEqual((received["corrupt"], received["backward"], received["ids_not_rising"]),
                         (0, 0, 0))
        outcomes = collections.Counter(result["outcomes"])
        self.assertEqual(set(outcomes) - {"delivered", "lost", "no-peer"}, set(), outcomes)
        # What its program took just before it stopped, unacknowledged, counts as lost for alice.
        doubtful = sum(e["taken_but_unacknowledged"] for e in bob.events("connected"))
        self.assertEqual(received["arrived"] - doubtful, outcomes["delivered"])
        self.assertEqual(received["arrived"] - doubtful + outcomes["lost"] + outcomes["no-peer"],
                         self.count)
        self.assertGreater(outcomes["lost"], 0)
        # Envelope by envelope: delivered ones are in bob's ledger.
        arrived = {entry[1] for entry in bob.entries()}
        self.assertEqual(len(arrived), received["arrived"])
        missing = [entry[1] for entry in alice.entries()
                   if entry[3] == Code.DELIVERED and entry[1] not in arrived]
        self.assertEqual(missing, [])
        self.check_others(broker, others)

    def test_a_stopped_recipient_stops_only_what_its_sender_sends_to_it(self):
        broker = self.start_broker("--silence", "60s")
        bob = self.start_receiver("bob", broker, 10_000)
        bob.process.pause()
        count = scaled(50_000, 500_000)
        carol = self.start_receiver("carol", broker, count // 2)
        alice = self.start_sender("alice", broker, count, ["bob", "carol"], size=[200, 200],
                                  skip_blocked=True)
        carol.wait_progress(count // 2)
        self.assertEqual(bob.progress(), 0)
        self.assertEqual(carol.result()["arrived"], count // 2)
        alice.kill()
        bob.kill()

    def test_the_queue_of_a_recipient_is_bounded_and_says_full(self):
        broker = self.start_broker("--queue", "100KiB", "--silence", "60s")
        self.join(broker, "bob", abilities=["acks"])  # And never does.
        senders = [self.join(broker, f"sender{i}") for i in range(30)]
        outcomes = collections.Counter()
        for sender in senders:
            id = sender.send("bob", bytes(7000))
            # Outcomes come in order: that of the first, if it has one, is there by then.
            sender.outcome_of("nobody", sender.send("nobody"))
            if id in sender.failures:
                outcomes[sender.failures[id][0]] += 1
        self.assertEqual(set(outcomes), {Code.FULL})
        self.assertEqual(30 - outcomes[Code.FULL], 100 * 1024 // (7000 + 40))

    def test_small_envelopes_for_a_stopped_peer_do_not_hold_large_frames(self):
        broker = self.start_broker("--memory", "256MiB", "--silence", "60s")
        self.join(broker, "stopped", abilities=["acks"])  # Reads and acknowledges nothing.
        other = self.join(broker, "other", abilities=["acks"], acks=True)
        alice = self.join(broker, "alice", abilities=["acks"])
        rounds = scaled(4_000, 20_000)
        before = broker.process.memory()
        for _ in range(rounds):
            small, large = alice.payload("stopped", bytes(24)), alice.payload("other", bytes(4056))
            alice.put(small, large)
            id = alice.next_id - 1
            other.expect(Kind.SEND)
            alice.pump_until(lambda: alice.settled.get("other", (0, 0))[0] >= id, "a receipt")
            alice.seen.clear()
            if len(alice.failures) > 0:
                break
        self.assertNotIn(Code.FULL, [fields[0] for fields in alice.failures.values()])
        held = self.stats(broker)["counters"]["held"]
        self.assertGreater(held, 100)
        if not SANITIZED:
            # 4,000 x 4 KiB would be 16 MiB.
            self.assertLess(broker.process.memory() - before, (4 << 20) + held * 1024)

    def test_library_senders_to_a_stopped_peer_do_not_hold_large_frames(self):
        broker = self.start_broker("--memory", "256MiB", "--silence", "60s", "--resume", "1s")
        count = scaled(100_000, 1_000_000)
        stopped = self.start_receiver("stopped", broker, count)
        stopped.process.pause()
        others = [self.start_receiver(f"other{i}", broker, count // 2) for i in range(3)]
        senders = [self.start_sender(f"sender{i}", broker, count, ["stopped", f"other{i}"],
                                     size=[64, 4095], skip_blocked=True) for i in range(3)]
        for other in others:
            self.assertEqual(other.result()["arrived"], count // 2)
        if not SANITIZED:
            self.assertLess(broker.process.peak_memory(), MEMORY)
        for sender in senders:
            sender.kill()
        stopped.kill()


if __name__ == "__main__":
    unittest.main()
