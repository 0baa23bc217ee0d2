#!/usr/bin/python3
"""The checks of chaos_ledgers.py find what they are for: each in ledgers with that one fault."""
import unittest

from chaos_ledgers import REPLIED, Arrival, Deed, Incarnation, Ledgers, Stay
from raw_peer import Code, Kind

ALICE, BOB, NOBODY = 0, 1, 2
NAMES = ["alice", "bob", "nobody"]
FIRST, SECOND, THIRD = 1, 2, 3  # Stays, in a run of the broker each.
STAYS = {FIRST: Stay("run1", 1, 0), SECOND: Stay("run2", 1, 100)}


def deed(number, kind=Kind.SEND, to=BOB, outcome=Code.DELIVERED, **more):
    fields = {"id": 1000 + number, "number": number, "kind": kind, "to": to, "ends": 1, "by": 255,
              "outcome": outcome, "refused": 0, "stay": FIRST, "end_stay": FIRST, "ms": 10, "end_ms": 20}
    return Deed(**{**fields, **more})


def arrival(number, kind=Kind.SEND, **more):
    fields = {"id": 1000 + number, "number": number, "kind": kind, "sender": ALICE, "to": 255,
              "again": 0, "stay": FIRST, "ms": 15}
    return Arrival(**{**fields, **more})


class LedgersTest(unittest.TestCase):
    def setUp(self):
        self.stays = STAYS

    def faults(self, sent, got, *others, lived=True, answers=()):
        alice = Incarnation("alice", 0, lived, self.stays, list(sent), [])
        bob = Incarnation("bob", 0, True, self.stays, list(answers), list(got))
        self.ledgers = Ledgers(NAMES, [alice, bob, *others])
        return self.ledgers.check()

    def check_fault(self, rule, sent, got, *others, **more):
        faults = self.faults(sent, got, *others, **more)
        self.assertTrue(any(fault.startswith(rule) for fault in faults), faults)

    def check_sound(self, sent, got, *others, **more):
        self.assertEqual(self.faults(sent, got, *others, **more), [])

    # ---- Outcomes

    def test_what_arrived_once_and_is_delivered_is_sound(self):
        self.check_sound([deed(1), deed(2)], [arrival(1), arrival(2)])

    def test_an_envelope_has_one_outcome(self):
        self.check_fault("one outcome", [deed(1, ends=0, outcome=0)], [arrival(1)])
        self.check_fault("one outcome", [deed(1, ends=2)], [arrival(1)])
        self.check_fault("one outcome", [deed(1, outcome=Code.DUPLICATE)], [])

    def test_only_a_killed_sender_may_have_heard_none(self):
        self.check_sound([deed(1, ends=0, outcome=0)], [arrival(1)], lived=False)

    def test_what_was_not_sent_has_no_outcome_and_does_not_arrive(self):
        refused = deed(1, id=0, ends=0, outcome=0, refused=1)
        self.check_sound([refused], [])
        self.check_fault("one outcome", [refused._replace(ends=1)], [])
        self.check_fault("never sent", [refused], [arrival(1)])

    def test_a_send_that_a_kill_interrupted_may_arrive(self):
        self.check_sound([deed(1, id=0, ends=0, outcome=0)], [arrival(1)], lived=False)
        self.check_fault("never sent", [deed(1, id=0, ends=0, outcome=0)], [arrival(1)])

    def test_what_a_library_says_is_what_its_program_knows(self):
        result = {"sent": 1, "delivered": 1, "unconfirmed": 0, "failed": 0, "unsettled": 0,
                  "strays": 0}
        bob = Incarnation("bob", 1, True, STAYS, [deed(1, to=NOBODY, outcome=Code.NO_PEER)], [])
        bob.result = result
        self.check_sound([], [], bob)
        for key in result:
            bob.result = {**result, key: result[key] + 1}
            self.check_fault("statistics", [], [], bob)

    # ---- Arrivals

    def test_what_arrives_was_sent_as_it_is_to_whoever_has_it(self):
        self.check_fault("never sent", [], [arrival(1)])
        self.check_fault("never sent", [deed(1)], [arrival(1, id=7)])
        self.check_fault("never sent", [deed(1, to=ALICE)], [arrival(1)])
        self.check_fault("never sent", [deed(1, kind=Kind.REQUEST)], [arrival(1)])

    def test_delivered_means_taken(self):
        self.check_fault("delivered means taken", [deed(1)], [])

    def test_what_failed_did_not_arrive_unless_it_is_lost(self):
        self.check_fault("no contradiction", [deed(1, outcome=Code.NO_PEER)], [arrival(1)])
        self.check_sound([deed(1, outcome=Code.LOST)], [arrival(1)])
        self.check_sound([deed(1, outcome=Code.LOST)], [])

    def test_nothing_arrives_twice(self):
        self.check_fault("nothing twice", [deed(1)], [arrival(1), arrival(1)])

    def test_order_is_that_of_the_sender(self):
        self.check_fault("nothing twice, order", [deed(1), deed(2)], [arrival(2), arrival(1)])

    def test_another_incarnation_has_it_only_in_another_run(self):
        double = Incarnation("bob", 1, True, STAYS, [], [arrival(1)])
        self.check_fault("nothing twice", [deed(1)], [arrival(1)], double)
        later = Incarnation("bob", 1, True, STAYS, [], [arrival(1, stay=SECOND)])
        self.check_sound([deed(1, end_stay=SECOND)], [arrival(1)], later)

    # ---- Questions

    def test_a_reply_is_from_whoever_was_asked(self):
        asked = deed(1, kind=Kind.REQUEST, outcome=REPLIED, by=BOB)
        reply = deed(1, kind=Kind.REPLY, to=ALICE, id=5)
        got = [arrival(1, kind=Kind.REQUEST)]
        self.check_sound([asked], got, answers=[reply])
        self.check_fault("replies", [asked], got)
        self.check_fault("replies", [asked], [], answers=[reply])
        self.check_fault("replies", [asked._replace(to=NOBODY)], got, answers=[reply])

    def test_a_call_comes_again_only_as_another_attempt(self):
        sent = [deed(1, kind=Kind.CALL, to=0, outcome=Code.LOST)]
        first = arrival(1, kind=Kind.CALL)
        self.check_fault("nothing twice", sent, [first, first])
        self.check_sound(sent, [first, first._replace(again=2)])

    # ---- Topics

    def publishes(self, count):
        return [deed(number, kind=Kind.PUBLISH, to=0) for number in range(1, count + 1)]

    def published(self, *numbers, stay=FIRST):
        return [arrival(number, kind=Kind.PUBLISH, to=0, stay=stay) for number in numbers]

    def test_publishes_come_in_order_and_once_in_a_run(self):
        self.check_sound(self.publishes(2), self.published(1, 2))
        self.check_sound(self.publishes(2), self.published(1, 2) + self.published(2, stay=SECOND))
        self.check_fault("publishes in order", self.publishes(2), self.published(2, 1))
        self.check_fault("publishes in order", self.publishes(2), self.published(1, 1))

    def test_gaps_account_for_what_is_missing_in_between(self):
        gap = [arrival(0, kind=Kind.GAP, id=2, sender=255)]
        self.check_fault("gaps", self.publishes(4), self.published(1, 4))
        self.check_sound(self.publishes(4), self.published(1) + gap + self.published(4))
        self.check_fault("gaps", self.publishes(5), self.published(1) + gap + self.published(5))
        self.check_sound(self.publishes(5), self.published(2, 3), lived=False)


if __name__ == "__main__":
    unittest.main()
