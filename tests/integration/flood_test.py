#!/usr/bin/python3
"""Peers that send from inside their callbacks as fast as they can do not lock each other up."""
import unittest

from support import Case, scaled


class FloodTest(Case):
    def flood(self, size, count):
        broker = self.start_broker()
        alice = self.start_flooder("alice", broker, count, "bob", size=size)
        bob = self.start_flooder("bob", broker, count, "alice", size=size)
        for worker in (alice, bob):
            result = worker.result()
            self.assertTrue(result["settled"], result)
            self.assertEqual(result["failed"], 0)
            self.check_arrived_once_and_in_order(worker, result, count)
            self.assertGreater(result["sent_inside"], 0)
        self.assertEqual(self.check_quiet(broker)["failed"], 0)

    def test_two_peers_that_answer_each_envelope_with_two_settle_everything(self):
        self.flood(64, scaled(50_000, 1_000_000))

    def test_two_peers_with_bodies_beyond_the_first_credit_settle_everything(self):
        self.flood(10_000, scaled(10_000, 100_000))


if __name__ == "__main__":
    unittest.main()
