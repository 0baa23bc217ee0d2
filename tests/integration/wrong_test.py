#!/usr/bin/python3
"""Peers that do it wrong are told so in words, and nobody else notices."""
import random
import secrets
import struct
import unittest

import msgpack
import zmq
from raw_peer import Code, Kind, cost, identity_of, pack
from relay import Relay
from support import PATIENCE, Case, wait_until

OUTCOMES = {Kind.OUTCOME}
EVERYTHING = set(Kind)


class WrongTest(Case):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()

    # ---- Identities

    def test_identities_that_are_not_name_and_token_are_refused(self):
        token = secrets.token_hex(16)
        wrong = [b"alice", b"alice~", b"alice~" + token[:-1].encode(), b"alice~" + token.upper().encode(),
                 f"alice~{token}0".encode(), f"~{token}".encode(), f"-a~{token}".encode(),
                 f"{'x' * 65}~{token}".encode(), bytes(range(1, 200)), b"\xff\xfe", b"\0alice",
                 f"\0a~{token}".encode(), b""]
        for identity in wrong:
            peer = self.raw(self.broker, "alice", identity=identity)
            peer.hello()
            refusal = peer.expect_refused(Code.BAD_IDENTITY)
            self.assertFalse(refusal["retry"], identity)
            peer.disconnect()
        self.check_alive(self.broker)

    def test_identities_that_libzmq_would_make_itself_do_not_end_the_broker(self):
        # A ROUTER that meets one of its own next identities aborts (libzmq 4.3.4).
        for start in (0x6b8b4567, 0):
            for i in range(1, 20):
                identity = b"\0" + struct.pack(">I", start + i)
                self.raw(self.broker, "zero", identity=identity).hello()
        for _ in range(40):
            peer = self.raw(self.broker, "anonymous", identity=b"")
            peer.hello()
            peer.expect_refused(Code.BAD_IDENTITY)
        self.check_alive(self.broker)

    def test_a_second_socket_with_the_same_identity_must_say_hello(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        thief = self.raw(self.broker, "alice", identity=alice.identity)
        thief.next_id = alice.next_id
        thief.send("bob", b"stolen")
        thief.expect_refused(Code.NOT_WELCOMED)
        self.assertEqual(bob.nothing_for(0.1, {Kind.SEND}), [])
        self.check_alive(self.broker)

    # ---- Before the welcome

    def test_nothing_but_hello_counts_before_the_welcome(self):
        bob = self.join(self.broker, "bob")
        alice = self.raw(self.broker, "alice")
        alice.next_id = bob.welcome["first_id"] + 1000
        alice.put(alice.payload("bob", b"too early"))
        alice.control(Kind.ACK, [0, 0])
        alice.control(Kind.PING, b"?")
        self.assertTrue(alice.expect_refused(Code.NOT_WELCOMED)["retry"])
        self.assertEqual(alice.nothing_for(0.2, EVERYTHING), [], "said once a second at most")
        self.assertEqual(alice.join()["highest_id"], 0, "it moved no mark")
        alice.next_id -= 1  # The same id again is no duplicate.
        alice.send("bob", b"now")
        self.assertEqual(bob.expect(Kind.SEND).body, b"now")

    def test_a_frame_of_zero_bytes_means_nothing(self):
        alice = self.raw(self.broker, "alice")
        alice.put(b"")
        alice.join()
        alice.put(b"")
        self.assertEqual(alice.nothing_for(0.1, EVERYTHING), [])
        self.check_alive(self.broker)

    def test_a_dealer_that_reconnects_by_itself_is_told_to_say_hello_after_a_restart(self):
        alice = self.join(self.broker, "alice", options={zmq.RECONNECT_IVL: 20})
        bob = self.join(self.broker, "bob", options={zmq.RECONNECT_IVL: 20})
        run = alice.welcome["run"]
        self.broker.restart()
        # What it sends until it knows may be gone; what it is told is not.
        def told():
            alice.send("bob", b"void")
            alice.pump(0.1)
            return [e for e in alice.seen if e.kind == Kind.REFUSED]
        wait_until(told, "alice is told to say hello")
        alice.expect_refused(Code.NOT_WELCOMED)
        self.assertNotEqual(alice.join()["run"], run)
        bob.control(Kind.PING, b"?")
        bob.expect_refused(Code.NOT_WELCOMED)
        bob.join()
        alice.send("bob", b"again")
        self.assertEqual(bob.expect(Kind.SEND).body, b"again")

    def test_a_simple_client_whose_connection_was_cut_must_say_hello_again(self):
        relay = Relay(self.broker.port)
        self.addCleanup(relay.close)
        alice = self.join(relay.endpoint, "alice", options={zmq.RECONNECT_IVL: 20})
        bob = self.join(self.broker, "bob")
        relay.cut()

        def told():
            alice.send("bob", b"void")
            alice.pump(0.1)
            return [e for e in alice.seen if e.kind == Kind.REFUSED]
        wait_until(told, "alice is told to say hello")
        alice.expect_refused(Code.NOT_WELCOMED)
        self.assertEqual(bob.nothing_for(0, {Kind.SEND}), [])
        alice.join()
        alice.send("bob", b"again")
        self.assertEqual(bob.expect(Kind.SEND).body, b"again")

    # ---- Messages that are no frames

    def test_a_message_of_several_parts_is_malformed(self):
        for parts in ([b"", b"x"], [b"a", b"b", b"c"]):
            stranger = self.raw(self.broker, "alice")
            stranger.put_parts(*parts)
            self.assertIn("part", stranger.expect_refused(Code.MALFORMED)["text"])
        bob, carol = self.join(self.broker, "bob"), self.join(self.broker, "carol")
        bob.put_parts(b"", bob.payload("carol", b"x"))
        self.assertIn("part", bob.expect_refused(Code.MALFORMED)["text"])
        self.assertEqual(carol.nothing_for(0.1, {Kind.SEND}), [])

    def test_a_req_socket_with_its_delimiter_does_no_harm(self):
        req = self.raw(self.broker, "alice", socket_type=zmq.REQ)
        req.hello()
        wait_until(lambda: "code=malformed" in self.broker.log(), "the log says why")
        self.check_alive(self.broker)

    def test_a_frame_above_the_limit_costs_its_sender_the_connection(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        monitor = alice.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.addCleanup(monitor.close, 0)
        alice.put(alice.payload("bob", bytes(alice.welcome["max_frame"] + 1)))
        self.assertTrue(monitor.poll(PATIENCE * 1000), "the connection goes")
        alice.socket.disable_monitor()
        self.assertEqual(bob.nothing_for(0.1, {Kind.SEND}), [])
        self.check_alive(self.broker)

    # ---- Wrong envelopes

    def test_a_bad_envelope_in_the_middle_of_a_bundle_fails_alone(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        first = alice.next_id
        alice.put(alice.payload("bob", b"1"), alice.payload("bob", b"2", frm="mallory"),
                  alice.payload("bob", b"3"), alice.payload("bob", b"4", id=first),
                  alice.payload("no name", b"5"), pack(99, "", "alice"),
                  alice.payload("bob", b"6", kind=Kind.CALL), alice.payload("bob", b"7"))
        self.assertEqual([e.body for e in bob.expect_payload(3)], [b"1", b"3", b"7"])
        alice.pump_until(lambda: alice.outcomes == 4, "four outcomes")
        told = [(e.id - first, Code(e.fields()[0])) for e in alice.seen if e.kind == Kind.OUTCOME]
        self.assertEqual(told, [(1, Code.FORGED), (0, Code.DUPLICATE), (3, Code.BAD_NAME),
                                (4, Code.NO_WORKER)])

    def test_a_forged_sender_is_told_and_nothing_arrives(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        self.join(self.broker, "carol")
        for forged in ("carol", "", "alice2", "ALICE"):
            id = alice.send("bob", b"x", frm=forged)
            self.assertEqual(alice.outcome_of("bob", id), Code.FORGED)
        self.assertEqual(bob.nothing_for(0.1, {Kind.SEND}), [])
        # A hello or a goodbye in another's name does nothing either.
        alice.put(pack(Kind.GOODBYE, frm="carol"))
        self.assertEqual(bob.outcome_of("carol", bob.send("carol", b"there?")), Code.UNCONFIRMED)
        stranger = self.raw(self.broker, "eve")
        stranger.put(pack(Kind.HELLO, frm="bob", body={"instance": "a" * 32, "versions": [1]}))
        stranger.expect_refused(Code.FORGED)

    def test_ids_that_do_not_rise_are_duplicates(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        first = alice.send("bob", b"1")
        alice.send("bob", b"2", id=first + 10)
        for id in (first, first + 10, first + 5, 0):
            alice.send("bob", b"again", id=id)
            self.assertEqual(alice.expect(Kind.OUTCOME).fields()[0], Code.DUPLICATE)
        alice.send("bob", b"3", id=first + 11)
        self.assertEqual([e.body for e in bob.expect_payload(3)], [b"1", b"2", b"3"])

    def test_an_id_from_the_far_future_is_refused(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        alice.send("bob", b"x", id=(1 << 64) - 1)
        self.assertEqual(alice.expect(Kind.OUTCOME).fields()[0], Code.BAD_ID)
        alice.send("bob", b"y", id=alice.welcome["first_id"])
        self.assertEqual(bob.expect(Kind.SEND).body, b"y", "its mark did not move")

    def test_what_exceeds_the_credit_is_refused_and_what_fits_arrives(self):
        alice = self.join(self.broker, "alice", abilities=["acks"])
        bob = self.join(self.broker, "bob", abilities=["acks"])  # And never does.
        names = ["bob"] + [f"nobody{i}" for i in range(8)]
        credit, pair = alice.credit, alice.pair
        spent, ids = alice.welcome["received"], []
        for to in names:
            envelope = alice.payload(to, bytes(pair - 500))
            ids.append((to, alice.next_id - 1, spent + cost(envelope) <= credit))
            alice.put(envelope)
            spent += cost(envelope)
        self.assertEqual(bob.expect(Kind.SEND).id, ids[0][1])
        for to, id, fits in ids[1:]:
            self.assertEqual(alice.outcome_of(to, id),
                             Code.NO_PEER if fits else Code.OVER_CREDIT, (to, fits))

    def test_what_exceeds_the_pair_limit_is_refused_and_others_are_served(self):
        alice = self.join(self.broker, "alice")
        bob = self.join(self.broker, "bob", abilities=["acks"])  # And never does.
        carol = self.join(self.broker, "carol")
        fits = alice.send("bob", bytes(alice.pair // 2))
        beyond = alice.send("bob", bytes(alice.pair // 2))
        self.assertEqual(alice.outcome_of("bob", beyond), Code.OVER_CREDIT)
        alice.send("carol", b"for you")
        self.assertEqual(carol.expect(Kind.SEND).body, b"for you")
        self.assertEqual(bob.expect(Kind.SEND).id, fits)

    def test_acknowledging_more_than_came_is_a_violation_and_settles_nothing(self):
        alice = self.join(self.broker, "alice")
        bob = self.join(self.broker, "bob", abilities=["acks"])
        id = alice.send("bob", b"x")
        bob.expect(Kind.SEND)
        bob.ack(taken=2)
        self.assertEqual(alice.nothing_for(0.1, {Kind.RECEIPT}), [])
        bob.ack(taken=1)
        self.assertEqual(alice.outcome_of("bob", id), Code.DELIVERED)

    # ---- The end of a session

    def test_garbage_in_the_middle_ends_the_session_and_what_stood_before_it_stands(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        before = alice.payload("bob", b"before")
        alice.put(before, b"\xc1", alice.payload("bob", b"after"))
        refusal = alice.expect_refused(Code.MALFORMED)
        self.assertIn(str(len(before)), refusal["text"], "the offset")
        self.assertEqual(bob.expect(Kind.SEND).body, b"before")
        self.assertEqual(bob.nothing_for(0.1, {Kind.SEND}), [])

    def test_a_connection_that_was_ended_goes_a_second_later(self):
        alice = self.join(self.broker, "alice")
        monitor = alice.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.addCleanup(monitor.close, 0)
        alice.put(b"\xc1")
        alice.expect_refused(Code.MALFORMED)
        alice.hello()
        self.assertTrue(monitor.poll(PATIENCE * 1000))
        alice.socket.disable_monitor()
        self.assertEqual([e for e in alice.seen if e.kind == Kind.WELCOME], [],
                         "frames of an ended connection are ignored")

    def test_a_hundred_violations_end_the_session(self):
        alice, bob = self.join(self.broker, "alice"), self.join(self.broker, "bob")
        for _ in range(99):
            alice.put(pack(99, frm="alice"))
        alice.send("bob", b"still here")
        self.assertEqual(bob.expect(Kind.SEND).body, b"still here")
        alice.put(pack(99, frm="alice"), alice.payload("bob", b"not any more"))
        alice.expect_refused(Code.VIOLATIONS)
        self.assertEqual(bob.nothing_for(0.1, {Kind.SEND}), [])
        self.assertEqual(bob.outcome_of("alice", bob.send("alice", b"x")), Code.NO_PEER)

    def test_random_bytes_end_only_the_session_they_come_from(self):
        dice = random.Random(2)
        for number in range(200):
            alice = self.join(self.broker, f"alice{number}")
            frame = bytearray(alice.payload("alice", b"x" * 20) * 3)
            if number % 2:
                frame = bytearray(dice.randbytes(dice.randrange(1, 300)))
            else:
                for _ in range(3):
                    frame[dice.randrange(len(frame))] = dice.randrange(256)
            alice.put(bytes(frame))
            alice.disconnect()
        self.check_alive(self.broker)

    def test_declared_lengths_are_not_believed(self):
        head = b"\x96\x10" + msgpack.packb("bob") + msgpack.packb("alice")
        for frame in (b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\x96\x10\xdb\xff\xff\xff\xff",
                      head + b"\x01\x80\xc6\xff\xff\xff\xff", head + b"\x01\xdf\xff\xff\xff\xff",
                      head + b"\x01\x81\x01" + b"\x91" * 100_000, b"\x91" * 1_000_000):
            alice = self.join(self.broker, "alice")
            alice.put(frame)
            alice.expect_refused(Code.MALFORMED)
            alice.disconnect()
        self.assertLess(self.broker.process.peak_memory(), 400 << 20)
        self.check_alive(self.broker)

    def test_hostile_hellos_are_refused(self):
        deep = b"\x91" * 200 + b"\xc0"
        good = {"instance": "a" * 32, "versions": [1]}
        bodies = [b"", b"\xc0", b"\xdf\xff\xff\xff\xff", deep, msgpack.packb({**good, "instance": 5}),
                  msgpack.packb({**good, "instance": "x" * 32}), msgpack.packb({**good, "versions": 1}),
                  msgpack.packb({**good, "metadata": {"k": "v" * 2000}}),
                  msgpack.packb({**good, "software": "s" * 1000}),
                  msgpack.packb(good) + b"\x00"]
        for body in bodies:
            peer = self.raw(self.broker, "alice")
            peer.control(Kind.HELLO, body)
            peer.expect_refused(Code.MALFORMED)
            peer.disconnect()
        self.check_alive(self.broker)


if __name__ == "__main__":
    unittest.main()
