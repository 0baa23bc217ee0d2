#!/usr/bin/python3
"""What goes through the broker when nothing goes wrong, and what is refused one by one."""
import unittest

import msgpack
from raw_peer import META_IN_REPLY_TO, META_REJECTED, PAYLOAD, Code, Kind, cost
from support import Case, scaled


class ExchangeTest(Case):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()

    def test_two_peers_hear_each_other(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        to_bob, to_alice = alice.send("bob", b"hello bob"), bob.send("alice", b"hello alice")
        at_bob, at_alice = bob.expect(Kind.SEND), alice.expect(Kind.SEND)
        self.assertEqual((at_bob.to, at_bob.frm, at_bob.id, at_bob.body),
                         ("bob", "alice", to_bob, b"hello bob"))
        self.assertEqual((at_alice.to, at_alice.frm, at_alice.id, at_alice.body),
                         ("alice", "bob", to_alice, b"hello alice"))
        self.assertEqual(alice.outcome_of("bob", to_bob), Code.UNCONFIRMED)
        self.assertEqual(bob.outcome_of("alice", to_alice), Code.UNCONFIRMED)
        counters = self.check_quiet(self.broker)
        # The rest are questions for the counters, all but the last already answered.
        self.assertEqual((counters["received"] - counters["copies"], counters["failed"]), (3, 0))

    def test_an_envelope_is_forwarded_byte_for_byte(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        # Wide integers, text as body, unknown meta keys and extra elements.
        envelope = (b"\x98\xcd\x00\x10" + msgpack.packb("bob") + msgpack.packb("alice")
                    + b"\xcf" + alice.next_id.to_bytes(8, "big")
                    + msgpack.packb({5: "text/plain", 99: [1, {"x": None}]})
                    + b"\xda\x00\x03\xe2\x82\xac" + msgpack.packb({"extra": 1}) + b"\xc0")
        alice.put(envelope)
        bob.socket.poll(5000)
        self.assertEqual(bob.socket.recv(), envelope)

    def test_envelopes_of_one_frame_go_to_their_recipients_in_order(self):
        alice, bob, carol = (self.join(self.broker, name) for name in ("alice", "bob", "carol"))
        alice.put(*(alice.payload(to, body) for to, body in
                    (("bob", b"1"), ("carol", b"2"), ("bob", b"3"), ("nobody", b"4"),
                     ("carol", b"5"), ("alice", b"6"), ("bob", b"7"))))
        self.assertEqual([e.body for e in bob.expect_payload(3)], [b"1", b"3", b"7"])
        self.assertEqual([e.body for e in carol.expect_payload(2)], [b"2", b"5"])
        self.assertEqual(alice.expect(Kind.SEND).body, b"6")
        self.assertEqual(alice.outcome_of("nobody", alice.next_id - 4), Code.NO_PEER)

    def test_bodies_of_every_size_arrive_unchanged(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        largest = alice.welcome["max_envelope"]
        overhead = largest - len(alice.payload("bob", bytes(largest - 100))) + largest - 100
        sizes = [0, 1, 31, 32, 255, 256, 4095, 8192, 65535, 65536, 262144, overhead]
        for size in sizes:
            body = bytes(i * 7 % 251 for i in range(min(size, 5021))) * (size // 5021 + 1)
            envelope = alice.payload("bob", body[:size])
            self.assertLessEqual(len(envelope), largest)
            alice.put(envelope)
            # The largest ones need all the credit: one at a time.
            got = bob.expect(Kind.SEND)
            self.assertEqual((got.id, got.body), (alice.next_id - 1, body[:size]), size)
            self.assertEqual(alice.outcome_of("bob", got.id), Code.UNCONFIRMED)
        self.assertEqual(len(envelope), largest, "the last one is as large as may be")

    def test_one_byte_above_the_largest_envelope_is_too_large(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        largest = alice.welcome["max_envelope"]
        envelope = alice.payload("bob", bytes(largest - 100))
        envelope = alice.payload("bob", bytes(largest - 100 + largest - len(envelope) + 1))
        self.assertEqual(len(envelope), largest + 1)
        alice.put(envelope)
        self.assertEqual(alice.outcome_of("bob", alice.next_id - 1), Code.TOO_LARGE)
        after = alice.send("bob", b"after")
        self.assertEqual(bob.expect(Kind.SEND).body, b"after")
        self.assertEqual(alice.outcome_of("bob", after), Code.UNCONFIRMED)

    def test_delivered_is_told_only_after_the_recipient_took_it(self):
        alice = self.join(self.broker, "alice")
        bob = self.join(self.broker, "bob", abilities=["acks"])
        ids = [alice.send("bob", text) for text in (b"1", b"2")]
        bob.expect_payload(2)
        self.assertEqual(alice.nothing_for(0.2, {Kind.RECEIPT}), [])
        bob.ack(taken=1)
        self.assertEqual(alice.outcome_of("bob", ids[0]), Code.DELIVERED)
        self.assertEqual(alice.settled["bob"][0], ids[0], "the second is not settled")
        bob.ack(taken=2)
        self.assertEqual(alice.outcome_of("bob", ids[1]), Code.DELIVERED)

    def test_a_recipient_gets_no_more_than_its_window_before_it_acknowledges(self):
        alice = self.join(self.broker, "alice")
        bob = self.join(self.broker, "bob", abilities=["acks"],
                        hello={"window": 1000, "frames": 3})
        self.assertEqual(bob.welcome["window"], 1000)
        for sent in range(1, 4):  # One by one: else a busy broker puts several into a frame.
            alice.send("bob", bytes(200))
            bob.pump_until(lambda: bob.taken == sent, f"number {sent}")
        for _ in range(17):
            last = alice.send("bob", bytes(200))
        # By then the broker has had all of them.
        self.assertEqual(alice.outcome_of("nobody", alice.send("nobody")), Code.NO_PEER)
        bob.nothing_for(0.1, set())
        self.assertEqual(bob.taken, 3, "three frames of one envelope each")
        taken = 3
        while taken < 20:
            bob.ack()
            bob.pump_until(lambda: bob.taken > taken, "more after an ack")
            bob.nothing_for(0.1, set())
            # No more than four envelopes of some 230 bytes, however they are bundled.
            self.assertLessEqual(bob.taken - taken, 4)
            taken = bob.taken
        bob.ack()
        self.assertEqual(alice.outcome_of("bob", last), Code.DELIVERED)

    def test_a_recipient_that_wants_one_at_a_time_gets_one_of_a_bundle(self):
        alice = self.join(self.broker, "alice")
        bob = self.join(self.broker, "bob", abilities=["acks"], hello={"window": 1, "frames": 1})
        alice.put(*(alice.payload("bob", b"x") for _ in range(5)))
        for taken in range(1, 6):
            bob.pump_until(lambda: bob.taken == taken, f"number {taken}")
            self.assertEqual(bob.nothing_for(0.05, set()), [])
            self.assertEqual(bob.taken, taken, "not one at a time")
            bob.ack()

    def test_a_request_is_answered_and_a_refused_one_told_why(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        first = alice.send("bob", b"2+2", kind=Kind.REQUEST)
        second = alice.send("bob", b"1/0", kind=Kind.REQUEST)
        for request, body, meta in zip(bob.expect_payload(2), (b"4", "by zero"),
                                       ({}, {META_REJECTED: True})):
            bob.send("alice", body, kind=Kind.REPLY, meta={META_IN_REPLY_TO: request.id, **meta})
        replies = alice.expect_payload(2)
        self.assertEqual([(e.kind, e.meta, e.body) for e in replies],
                         [(Kind.REPLY, {META_IN_REPLY_TO: first}, b"4"),
                          (Kind.REPLY, {META_IN_REPLY_TO: second, META_REJECTED: True}, "by zero")])

    def test_what_this_broker_does_not_serve_is_unsupported(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        for fields in ({"meta": {2: True}}, {"meta": {3: 1000}}):
            id = alice.send("bob", b"x", **fields)
            self.assertEqual(alice.outcome_of("bob", id), Code.UNSUPPORTED, fields)
        alice.send("bob", b"but this")
        self.assertEqual(bob.expect_payload(1)[0].body, b"but this")

    def test_whoever_is_not_there_is_told_by_name(self):
        alice = self.join(self.broker, "alice")
        self.assertEqual(alice.outcome_of("bob", alice.send("bob", b"x")), Code.NO_PEER)
        for wrong in ("no name!", "-x", "x" * 65, "a~b", "a/b"):
            self.assertEqual(alice.outcome_of(wrong, alice.send(wrong, b"x")), Code.BAD_NAME, wrong)
        counters = self.check_quiet(self.broker)
        self.assertEqual(counters["failed_by"], {"no-peer": 1, "bad-name": 5})

    def test_watchers_see_others_come_and_go(self):
        self.join(self.broker, "lab.bob")
        alice = self.join(self.broker, "alice")
        alice.control(Kind.WATCH, ["lab.*"])
        told = lambda: alice.expect(Kind.PRESENCE).fields()
        there = told()
        self.assertEqual((there["event"], there["peer"]), ("present", "lab.bob"))
        carol = self.join(self.broker, "lab.carol", hello={"metadata": {"display": "Carol"}})
        self.join(self.broker, "dave")
        came = told()
        self.assertEqual((came["event"], came["peer"], came["metadata"]),
                         ("joined", "lab.carol", {"display": "Carol"}))
        carol.goodbye()
        left = told()
        self.assertEqual((left["event"], left["peer"]), ("left", "lab.carol"))

    def test_the_broker_says_who_is_here(self):
        self.join(self.broker, "bob", hello={"metadata": {"display": "Bob"}})
        alice = self.join(self.broker, "alice")
        peers = {p["name"]: p for p in alice.ask({"op": "who"})["peers"]}
        self.assertEqual(set(peers), {"alice", "bob"})
        self.assertEqual((peers["bob"]["state"], peers["bob"]["metadata"], peers["bob"]["acks"]),
                         ("active", {"display": "Bob"}, False))
        self.assertEqual([p["name"] for p in alice.ask({"op": "who", "name": "bob"})["peers"]],
                         ["bob"])

    def test_no_token_is_shown_by_who_or_in_the_log(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        alice.disconnect()
        shown = repr(bob.ask({"op": "who"})) + self.broker.log()
        for peer in (alice, bob):
            self.assertNotIn(peer.identity.decode().split("~")[1], shown)

    def test_library_peers_send_to_each_other_at_the_same_time(self):
        count = scaled(100_000, 2_000_000)
        receivers = [self.start_receiver(name, self.broker, count) for name in ("r1", "r2")]
        senders = [self.start_sender(name, self.broker, count, to, span=span)
                   for name, to, span in (("s1", "r2", 0), ("s2", "r1", 100))]
        for sender in senders:
            self.check_all_delivered(sender, sender.result(), count)
        for receiver in receivers:
            self.check_arrived_once_and_in_order(receiver, receiver.result(), count)
        counters = self.check_quiet(self.broker)
        self.assertEqual(counters["failed"], 0)

    def test_a_library_peer_sends_to_one_that_never_acknowledges(self):
        bob = self.join(self.broker, "bob")
        sender = self.start_sender("alice", self.broker, 1000, "bob", span=10)
        numbers = [int.from_bytes(e.body[:4], "little") for e in bob.expect_payload(1000)]
        self.assertEqual(numbers, list(range(1000)))
        self.assertEqual(sender.result()["outcomes"], {"unconfirmed": 1000})

    def test_who_stays_within_credit_and_pair_limit_is_never_refused(self):
        alice = self.join(self.broker, "alice")
        bob = self.join(self.broker, "bob", acks=True, abilities=["acks"])
        spent, unsettled = alice.welcome["received"], {}
        settled = lambda: alice.settled.get("bob", (0, 0))[0]
        there = lambda: sum(c for id, c in unsettled.items() if id > settled())
        for _ in range(300):
            envelope = alice.payload("bob", bytes(1000))
            while spent + cost(envelope) > alice.credit or there() + cost(envelope) > alice.pair:
                bob.pump(0.001)
                alice.pump(0.001)
            alice.put(envelope)
            spent += cost(envelope)
            unsettled[alice.next_id - 1] = cost(envelope)
        bob.pump_until(lambda: bob.taken == 300, "all")
        self.assertEqual(alice.outcome_of("bob", alice.next_id - 1), Code.DELIVERED)
        self.assertEqual(alice.failures, {})


if __name__ == "__main__":
    unittest.main()
