#!/usr/bin/python3
"""Topics, services, requests and presence as SPEC.md sections 16 to 18 say, frame by frame."""
import time
import unittest

from raw_peer import (ALL_TOPICS, META_AGAIN, META_DEADLINE, META_IDEMPOTENT, META_IN_REPLY_TO,
                      META_MORE, META_RETAIN, META_RETAINED, META_WANTED, META_WILL, PAYLOAD, Code,
                      Kind)
from support import Case

ACKS = {"abilities": ["acks"], "acks": True}
BLOCK, DISCONNECT = 1, 2


class TopicsTest(Case):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()

    def test_a_publish_goes_as_it_is_to_every_match_once(self):
        alice, bob, carol = (self.join(self.broker, name) for name in ("alice", "bob", "carol"))
        for pattern in ("lab/*", "lab/oven", "**"):
            self.assertEqual(bob.interest(Kind.SUBSCRIBE, pattern), Code.DELIVERED)
        self.assertEqual(carol.interest(Kind.SUBSCRIBE, "lab/*/door"), Code.DELIVERED)
        id = alice.send("lab/oven", b"20", kind=Kind.PUBLISH)
        alice.send("lab/oven/door", b"open", kind=Kind.PUBLISH)
        got = bob.expect_payload(2)
        self.assertEqual([(e.kind, e.to, e.frm, e.body) for e in got],
                         [(Kind.PUBLISH, "lab/oven", "alice", b"20"),
                          (Kind.PUBLISH, "lab/oven/door", "alice", b"open")])
        self.assertEqual(carol.expect(Kind.PUBLISH).body, b"open")
        self.assertEqual(alice.outcome_of(ALL_TOPICS, id), Code.DELIVERED)

    def test_a_retained_value_waits_for_late_subscribers(self):
        alice = self.join(self.broker, "alice")
        alice.send("state/a", b"1", kind=Kind.PUBLISH, meta={META_RETAIN: True, 99: "kept"})
        alice.send("state/b", b"2", kind=Kind.PUBLISH, meta={META_RETAIN: True})
        last = alice.send("state/b", b"", kind=Kind.PUBLISH, meta={META_RETAIN: True})
        alice.outcome_of(ALL_TOPICS, last)
        bob = self.join(self.broker, "bob")
        self.assertEqual(bob.interest(Kind.SUBSCRIBE, "state/*"), Code.DELIVERED)
        value = bob.expect(Kind.PUBLISH)
        self.assertEqual((value.to, value.body, value.meta),
                         ("state/a", b"1", {META_RETAIN: True, 99: "kept", META_RETAINED: True}))
        self.assertEqual(bob.interest(Kind.SUBSCRIBE, "**", 0, 2), Code.DELIVERED)
        self.assertEqual(bob.nothing_for(0.2, PAYLOAD), [], "the second wanted no retained values")

    def test_counts_and_no_subscriber_are_told_when_wanted(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        bob.interest(Kind.SUBSCRIBE, "news")
        alice.interest(Kind.SUBSCRIBE, "news", 0, 1)
        counted = alice.send("news", b"x", kind=Kind.PUBLISH, meta={META_WANTED: 2})
        nobody = alice.send("olds", b"x", kind=Kind.PUBLISH, meta={META_WANTED: 4})
        self.assertEqual(alice.outcome_of(ALL_TOPICS, nobody), Code.NO_SUBSCRIBER)
        self.assertEqual((alice.failures[counted][0], alice.failures[counted][3]),
                         (Code.DELIVERED, 1))

    def test_a_slow_subscriber_is_told_how_much_it_missed(self):
        broker = self.start_broker_with({"limits": {"topic_queue": "64KiB"}})
        alice = self.join(broker, "alice")
        bob = self.join(broker, "bob", abilities=["acks"], hello={"window": 65536})
        bob.interest(Kind.SUBSCRIBE, "**")
        count = 3000
        for number in range(count):
            alice.send("news", number.to_bytes(4, "big") * 25, kind=Kind.PUBLISH)
            if number % 50 == 0:
                alice.outcome_of(ALL_TOPICS, alice.next_id - 1)
        alice.outcome_of(ALL_TOPICS, alice.next_id - 1)
        bob.acks = True
        bob.ack()
        got, gaps = [], 0
        while not got or got[-1] != count - 1:
            bob.pump_until(lambda: bob.seen, "more")
            envelope = bob.seen.pop(0)
            if envelope.kind == Kind.GAP:
                gaps += envelope.fields()[0]
            elif envelope.kind == Kind.PUBLISH:
                got.append(int.from_bytes(envelope.body[:4], "big"))
        self.assertEqual(got, sorted(got))
        self.assertGreater(gaps, 0)
        self.assertEqual(len(got) + gaps, count)

    def test_a_subscriber_that_blocks_holds_its_publishers_credit(self):
        broker = self.start_broker_with({"limits": {"topic_queue": "64KiB"}})
        alice = self.join(broker, "alice")
        bob = self.join(broker, "bob", abilities=["acks"], hello={"window": 65536})
        bob.interest(Kind.SUBSCRIBE, "**", BLOCK)
        sent = []
        # Until the broker does not settle any more.
        while len(sent) < 10_000:
            envelope = alice.payload("news", bytes(1000), kind=Kind.PUBLISH)
            alice.put(envelope)
            sent.append(alice.next_id - 1)
            try:
                # What is settled at once may take a busy machine a moment.
                alice.outcome_of(ALL_TOPICS, sent[-1], timeout=3)
            except AssertionError:
                break
        self.assertLess(len(sent), 400)
        self.assertGreater(len(sent), 60)
        bob.acks = True
        bob.ack()
        self.assertEqual(len(bob.expect_payload(len(sent))), len(sent))
        self.assertEqual(alice.outcome_of(ALL_TOPICS, sent[-1]), Code.DELIVERED)

    def test_a_subscriber_may_want_to_be_disconnected(self):
        broker = self.start_broker_with({"limits": {"topic_queue": "64KiB"}})
        alice = self.join(broker, "alice")
        bob = self.join(broker, "bob", abilities=["acks"], hello={"window": 65536})
        bob.interest(Kind.SUBSCRIBE, "**", DISCONNECT)
        for _ in range(300):
            alice.send("news", bytes(1000), kind=Kind.PUBLISH)
            alice.outcome_of(ALL_TOPICS, alice.next_id - 1)
        self.assertIn("limits.topic_queue", bob.expect_refused(Code.UNRESPONSIVE)["text"])


class ServicesTest(Case):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker_with({"session": {"resume": "1s", "simple_away": "1s"}})

    def worker(self, name, capacity=1):
        peer = self.join(self.broker, name, **ACKS)
        self.assertEqual(peer.interest(Kind.OFFER, "sum", capacity), Code.DELIVERED)
        return peer

    def reply(self, worker, call, body):
        worker.send(call.frm, body, kind=Kind.REPLY, meta={META_IN_REPLY_TO: call.id})

    def test_a_call_is_answered_through_a_worker(self):
        worker, alice = self.worker("w1"), self.join(self.broker, "alice")
        id = alice.send("sum", b"1+1", kind=Kind.CALL)
        call = worker.expect(Kind.CALL)
        self.assertEqual((call.to, call.frm, call.id, call.body), ("sum", "alice", id, b"1+1"))
        self.reply(worker, call, b"2")
        reply = alice.expect(Kind.REPLY)
        self.assertEqual((reply.frm, reply.meta[META_IN_REPLY_TO], reply.body), ("w1", id, b"2"))
        self.assertEqual(alice.outcome_of("@sum", id), Code.DELIVERED)

    def test_calls_wait_for_a_place_and_nobody_gets_two(self):
        worker = self.worker("w1")
        alice = self.join(self.broker, "alice")
        ids = [alice.send("sum", bytes([n]), kind=Kind.CALL) for n in range(5)]
        for id in ids:
            call = worker.expect(Kind.CALL)
            self.assertEqual(call.id, id)
            self.assertEqual(worker.nothing_for(0.05, {Kind.CALL}), [])
            self.reply(worker, call, b"done")
        self.assertEqual([e.meta[META_IN_REPLY_TO] for e in alice.expect_payload(5)], ids)

    def test_a_worker_that_vanishes_gives_its_calls_to_another(self):
        first = self.worker("w1", 2)
        alice = self.join(self.broker, "alice")
        first.acks = False
        once = alice.send("sum", b"once", kind=Kind.CALL)
        any_number = alice.send("sum", b"any", kind=Kind.CALL, meta={META_IDEMPOTENT: True})
        first.expect(Kind.CALL), first.expect(Kind.CALL)
        first.ack()
        alice.pump_until(lambda: alice.settled.get("@sum", (0,))[0] >= any_number, "a receipt")
        second = self.worker("w2", 2)
        first.disconnect()
        call = second.expect(Kind.CALL)
        self.assertEqual((call.id, call.body, call.meta[META_AGAIN]), (any_number, b"any", 2))
        alice.pump_until(lambda: once in alice.failures, "that the other is lost")
        self.assertEqual(alice.failures[once][0], Code.LOST)

    def test_nobody_offers_it(self):
        alice = self.join(self.broker, "alice")
        id = alice.send("sum", b"", kind=Kind.CALL)
        self.assertEqual(alice.outcome_of("@sum", id), Code.NO_WORKER)

    def test_a_cancel_reaches_the_worker(self):
        worker, alice = self.worker("w1"), self.join(self.broker, "alice")
        id = alice.send("sum", b"", kind=Kind.CALL)
        worker.expect(Kind.CALL)
        alice.control(Kind.CANCEL, id=id)
        alice.pump_until(lambda: alice.failures.get(id, [0])[0] == Code.CANCELLED, "cancelled")
        cancel = worker.expect(Kind.CANCEL)
        self.assertEqual((cancel.frm, cancel.id), ("alice", id))


class RequestsTest(Case):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()

    def clock(self, peer, since):
        """The broker's clock, from the welcome and our steady one."""
        return peer.welcome["time"] + int((time.monotonic() - since) * 1e9)

    def test_a_request_to_a_peer_that_leaves_fails_at_once(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob", **ACKS)
        id = alice.send("bob", b"?", kind=Kind.REQUEST)
        bob.expect(Kind.REQUEST)
        self.assertEqual(alice.outcome_of("bob", id), Code.DELIVERED)
        bob.goodbye()
        alice.pump_until(lambda: id in alice.failures, "that bob is gone")
        self.assertEqual(alice.failures[id][0], Code.LOST)

    def test_a_deadline_is_kept(self):
        before = time.monotonic()
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob", **ACKS)
        deadline = self.clock(alice, before) + 3_000_000_000  # Bob must have it before.
        id = alice.send("bob", b"?", kind=Kind.REQUEST, meta={META_DEADLINE: deadline})
        bob.expect(Kind.REQUEST)
        alice.pump_until(lambda: id in alice.failures, "that the deadline passed")
        self.assertEqual(alice.failures[id][0], Code.EXPIRED)
        self.assertEqual(bob.expect(Kind.CANCEL).id, id)
        bob.send("alice", b"late", kind=Kind.REPLY, meta={META_IN_REPLY_TO: id})
        self.assertEqual(alice.expect(Kind.REPLY).body, b"late")
        self.assertEqual(alice.ask({"op": "stats"})["counters"]["late_replies"], 1)

    def test_replies_may_come_in_parts(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob", **ACKS)
        id = alice.send("bob", b"?", kind=Kind.REQUEST)
        bob.expect(Kind.REQUEST)
        for number in range(3):
            bob.send("alice", bytes([number]), kind=Kind.REPLY,
                     meta={META_IN_REPLY_TO: id, **({META_MORE: True} if number < 2 else {})})
        self.assertEqual([(e.body, e.meta.get(META_MORE, False)) for e in alice.expect_payload(3)],
                         [(b"\0", True), (b"\1", True), (b"\2", False)])
        self.assertEqual(alice.ask({"op": "stats"})["open_requests"], 0)


class PresenceTest(Case):
    def test_watchers_hear_of_changes_and_of_wills(self):
        broker = self.start_broker_with({"session": {"simple_away": "1s"}})
        bob = self.join(broker, "bob")
        bob.control(Kind.WATCH, ["al*"])
        will = {"kind": Kind.SEND.value, "to": "bob", "body": b"I am gone"}
        alice = self.join(broker, "alice", hello={"will": will})
        self.assertEqual(bob.expect(Kind.PRESENCE).fields()["event"], "joined")
        alice.control(Kind.DESCRIBE, {"state": "busy"})
        changed = bob.expect(Kind.PRESENCE).fields()
        self.assertEqual((changed["event"], changed["metadata"]), ("changed", {"state": "busy"}))
        row = bob.ask({"op": "who", "name": "alice"})["peers"][0]
        self.assertEqual(row["address"], "127.0.0.1")
        alice.disconnect()
        left = bob.expect(Kind.PRESENCE).fields()
        self.assertEqual(left["event"], "left")
        last = bob.expect(Kind.SEND)
        self.assertEqual((last.frm, last.body, last.meta), ("alice", b"I am gone",
                                                            {META_WILL: True}))


if __name__ == "__main__":
    unittest.main()
