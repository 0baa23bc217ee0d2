#!/usr/bin/python3
"""Who holds a name, and how a session goes on: SPEC.md, section 5."""
import time
import unittest

from raw_peer import Code, Kind
from relay import Relay
from support import PATIENCE, Case, wait_until


class NamesTest(Case):
    def test_a_living_holder_keeps_its_name_and_the_newcomer_is_told_who_holds_it(self):
        broker = self.start_broker()
        holder = self.join(broker, "alice", abilities=["pong"])
        newcomer = self.raw(broker, "alice")
        newcomer.hello()
        holder.expect(Kind.PING)  # Answered while it is read.
        refusal = newcomer.expect_refused(Code.NAME_HELD, timeout=PATIENCE)
        self.assertIn(holder.instance, refusal["text"])
        self.assertRegex(refusal["text"], r"since \d{4}-\d\d-\d\dT\d\d:\d\d")
        self.assertTrue(refusal["retry"])
        bob = self.join(broker, "bob")
        bob.send("alice", b"still you?")
        self.assertEqual(holder.expect(Kind.SEND).body, b"still you?")

    def test_a_stopped_holder_loses_its_name_within_a_second_or_so(self):
        broker = self.start_broker()
        holder = self.start_receiver("alice", broker, 1)
        holder.process.pause()
        begin = time.monotonic()
        newcomer = self.join(broker, "alice")
        self.assertLess(time.monotonic() - begin, PATIENCE / 4)  # Silence would take longer.
        holder.process.go_on()
        refused = holder.wait_for("refused")
        self.assertEqual((refused["code"], refused.get("final")), ("replaced", True))
        bob = self.join(broker, "bob")
        bob.send("alice", b"you?")
        self.assertEqual(newcomer.expect(Kind.SEND).body, b"you?")

    def test_a_half_open_holder_loses_its_name_and_is_told_when_it_is_back(self):
        broker = self.start_broker()
        relay = self.start_relay(broker)
        holder = self.join(relay.endpoint, "alice", abilities=["pong", "acks", "resume"])
        relay.stall()
        newcomer = self.join(broker, "alice")
        relay.heal()
        holder.reconnect()
        holder.resume_hello()
        newcomer.expect(Kind.PING)
        self.assertIn(newcomer.instance, holder.expect_refused(Code.NAME_HELD)["text"])

    def start_relay(self, broker):
        relay = Relay(broker.port)
        self.addCleanup(relay.close)
        return relay

    def test_the_replaced_holder_is_refused_on_its_own_connection(self):
        broker = self.start_broker()
        holder = self.join(broker, "alice", pongs=False)  # Reads nothing, so answers nothing.
        newcomer = self.join(broker, "alice")
        refusal = holder.expect_refused(Code.REPLACED)
        self.assertFalse(refusal["retry"])
        self.assertIn(newcomer.instance, refusal["text"])

    def test_the_newest_wins_at_once_where_the_broker_is_told_so(self):
        broker = self.start_broker("--newest-wins")
        holders = [self.join(broker, "alice", abilities=["pong"])]
        took = []
        for _ in range(3):  # The machine may be busy for a moment.
            begin = time.monotonic()
            holders.append(self.join(broker, "alice", abilities=["pong"]))
            took.append(time.monotonic() - begin)
        self.assertLess(min(took), 0.9)
        for holder in holders[:-1]:
            holder.expect_refused(Code.REPLACED)

    def test_a_second_socket_of_the_same_instance_takes_the_session_over(self):
        broker = self.start_broker()
        old = self.join(broker, "alice", abilities=["acks", "resume", "pong"])
        bob = self.join(broker, "bob")
        bob.send("alice", b"1")
        self.assertEqual(old.expect(Kind.SEND).body, b"1")
        new = self.raw(broker, "alice", instance=old.instance, abilities=old.abilities)
        new.welcome = old.welcome
        new.resume_hello(taken=0)
        welcome = new.take_welcome()
        self.assertTrue(welcome["resumed"])
        self.assertEqual(welcome["epoch"], old.welcome["epoch"])
        self.assertEqual(new.expect(Kind.SEND).body, b"1", "not acknowledged, so repeated")
        # What the old socket still sends is ignored, and it gets nothing.
        old.next_id = new.next_id
        old.send("bob", b"from the old socket")
        old_id = old.next_id
        new.next_id = old_id
        new.send("bob", b"from the new socket")
        self.assertEqual(bob.expect(Kind.SEND).body, b"from the new socket")
        bob.send("alice", b"2")
        self.assertEqual(new.expect(Kind.SEND).body, b"2")
        self.assertEqual(old.nothing_for(0.1, {Kind.SEND}), [])

    def test_a_resumed_session_repeats_what_was_not_taken(self):
        broker = self.start_broker()
        alice = self.join(broker, "alice", abilities=["acks", "resume", "pong"])
        bob = self.join(broker, "bob")
        first = [bob.send("alice", text) for text in (b"1", b"2", b"3")]
        alice.expect_payload(3)
        failed = alice.send("nobody", b"x")
        self.assertEqual(alice.outcome_of("nobody", failed), Code.NO_PEER)
        alice.disconnect()
        wait_until(lambda: "away name=alice" in broker.log(), "the broker sees that alice is gone")
        bob.send("alice", b"4")
        alice.connect()
        alice.resume_hello(taken=1, outcomes=0)
        alice.failures.clear()
        welcome = alice.take_welcome()
        self.assertEqual((welcome["resumed"], welcome["taken"], welcome["outcomes"]), (True, 1, 0))
        self.assertEqual(welcome["highest_id"], failed)
        self.assertEqual([e.body for e in alice.expect_payload(3)], [b"2", b"3", b"4"])
        self.assertEqual(alice.outcome_of("nobody", failed), Code.NO_PEER, "told again")
        alice.ack(taken=4, outcomes=1)
        self.assertEqual(bob.outcome_of("alice", first[2]), Code.DELIVERED)

    def test_what_was_in_the_hands_of_a_peer_that_does_not_come_back_is_lost(self):
        broker = self.start_broker("--resume", "500ms")
        alice = self.join(broker, "alice", abilities=["acks", "resume", "pong"])
        bob = self.join(broker, "bob")
        ids = [bob.send("alice", text) for text in (b"1", b"2", b"3")]
        alice.expect_payload(3)
        alice.ack(taken=1)
        self.assertEqual(bob.outcome_of("alice", ids[0]), Code.DELIVERED)
        alice.disconnect()
        self.assertEqual([bob.outcome_of("alice", id) for id in ids[1:]], [Code.LOST, Code.LOST])
        self.assertEqual(bob.outcome_of("alice", bob.send("alice", b"4")), Code.NO_PEER)
        alice.connect()
        alice.resume_hello()
        self.assertFalse(alice.take_welcome()["resumed"])

    def test_a_goodbye_frees_the_name_at_once(self):
        broker = self.start_broker()
        alice = self.join(broker, "alice", abilities=["acks", "resume", "pong"])
        bob = self.join(broker, "bob")
        ids = [bob.send("alice", text) for text in (b"1", b"2")]
        alice.expect_payload(2)
        alice.taken = 1  # All that its program had.
        alice.goodbye()
        self.assertEqual([bob.outcome_of("alice", id) for id in ids], [Code.DELIVERED, Code.LOST])
        self.join(broker, "alice")

    def test_ids_start_above_all_that_were_given_before_a_restart(self):
        broker = self.start_broker()
        alice = self.join(broker, "alice")
        ahead = alice.welcome["first_id"] + 3_600_000_000_000  # An hour ahead of the clock.
        alice.next_id = ahead
        alice.send("alice", b"x")
        self.assertEqual(alice.expect(Kind.SEND).id, ahead)
        wait_until(lambda: self.floor(broker) > ahead, "the state file is ahead")
        broker.restart()
        bob = self.join(broker, "bob")
        self.assertGreater(bob.welcome["first_id"], ahead)
        self.assertNotEqual(bob.welcome["run"], alice.welcome["run"])

    def floor(self, broker):
        text = (self.folder / f"{broker.label}.state").read_text()
        digits = [int(word) for word in text.split() if word.isdigit()]
        return max(digits, default=0)

    def test_a_peer_that_speaks_no_common_version_is_refused(self):
        broker = self.start_broker()
        alice = self.raw(broker, "alice")
        alice.hello(versions=[2, 3])
        self.assertFalse(alice.expect_refused(Code.VERSION)["retry"])

    def test_a_hello_without_an_instance_is_refused(self):
        broker = self.start_broker()
        alice = self.raw(broker, "alice")
        alice.control(Kind.HELLO, {"versions": [1]})
        self.assertIn("instance", alice.expect_refused(Code.MALFORMED)["text"])
        alice.join()

    def test_one_more_than_the_peers_allowed_is_refused_as_full(self):
        broker = self.start_broker("--peers", "2")
        alice, _bob = self.join(broker, "alice"), self.join(broker, "bob")
        carol = self.raw(broker, "carol")
        carol.hello()
        self.assertTrue(carol.expect_refused(Code.FULL)["retry"])
        alice.goodbye()
        carol.join(wait_for_room=True)
        carol.goodbye()  # Room for who asks for the balance.


if __name__ == "__main__":
    unittest.main()
