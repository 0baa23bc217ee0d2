#!/usr/bin/python3
"""Connections that are cut, stall or are slow: library peers go on, and nothing is lost or doubled."""
import unittest

from relay import TO_BROKER, Relay
from support import Case, scaled, wait_until


class CutsTest(Case):
    def relays(self, broker, **options):
        """One in front of each of two peers."""
        relays = [Relay(broker.port, **options) for _ in range(2)]
        for relay in relays:
            self.addCleanup(relay.close)
        return relays

    def pair_through(self, broker, relays, count, **options):
        bob = self.start_receiver("bob", relays[0].endpoint, count)
        alice = self.start_sender("alice", relays[1].endpoint, count, "bob", **options)
        return alice, bob

    def check_through(self, broker, alice, bob, count):
        sent, received = alice.result(), bob.result()
        self.check_arrived_once_and_in_order(bob, received, count)
        self.check_all_delivered(alice, sent, count)
        # The broker never saw them leave: every connection after the first resumed the session.
        for worker in (alice, bob):
            resumed = [event["resumed"] for event in worker.events("connected")]
            self.assertEqual(resumed, [False] + [True] * (len(resumed) - 1))
        counters = self.check_quiet(broker)
        self.assertEqual(counters["failed"], 0, counters)
        return sent, received

    def cut_on_the_way(self, count, cuts, cut, whole_frames, **options):
        """`cut` is called with a relay, the recipient's and the sender's in turn."""
        broker = self.start_broker()
        relays = self.relays(broker, whole_frames=whole_frames)
        alice, bob = self.pair_through(broker, relays, count, **options)
        workers = [bob, alice]
        for number in range(cuts):
            bob.wait_progress(count * (number + 1) // (cuts + 2))
            side = number % 2
            connections = len(workers[side].events("connected"))
            cut(relays[side])
            # Not later: once they are connected again, all may be there before this looks.
            self.assertLess(bob.progress(), count, "the cut came in the middle")
            workers[side].wait_for("connected", connections + 1)
        self.check_through(broker, alice, bob, count)

    def test_connections_cut_between_frames_lose_nothing(self):
        self.cut_on_the_way(scaled(1_000_000, 5_000_000), 6, Relay.cut_between_frames, True, span=20)

    def test_connections_cut_anywhere_lose_nothing(self):
        self.cut_on_the_way(scaled(1_000_000, 5_000_000), 6, Relay.cut, False, span=20)

    def test_connections_cut_while_large_envelopes_pass_lose_nothing(self):
        self.cut_on_the_way(scaled(5_000, 50_000), 4, Relay.cut, False, size=[100_000, 64])

    def test_both_connections_cut_at_once_lose_nothing(self):
        broker = self.start_broker()
        relays = self.relays(broker)
        count = scaled(400_000, 4_000_000)
        alice, bob = self.pair_through(broker, relays, count)
        for number in range(3):
            bob.wait_progress(count * (number + 1) // 4)
            for relay in relays:
                relay.cut()
            for worker in (alice, bob):
                worker.wait_for("connected", number + 2)
        self.check_through(broker, alice, bob, count)

    def test_half_open_connections_are_given_up_and_nothing_is_lost(self):
        broker = self.start_broker("--heartbeat", "200ms", "--silence", "800ms")
        relays = self.relays(broker)
        count = scaled(400_000, 4_000_000)
        alice, bob = self.pair_through(broker, relays, count, span=20)
        for number, (relay, worker) in enumerate(zip(relays, (bob, alice))):
            bob.wait_progress(count * (number + 1) // 3)
            relay.stall()  # For good: what was on its way never arrives. A new connection is well.
            worker.wait_for("connected", 2)
        self.check_through(broker, alice, bob, count)

    def test_a_connection_that_stalls_for_a_moment_goes_on_as_if_nothing_was(self):
        broker = self.start_broker("--heartbeat", "1s", "--silence", "20s")
        relays = self.relays(broker)
        count = scaled(400_000, 4_000_000)
        alice, bob = self.pair_through(broker, relays, count, span=20)
        for number, relay in enumerate(relays):
            bob.wait_progress(count * (number + 1) // 3)
            relay.stall()
            self.join(broker, f"other{number}").ask({"op": "who"})  # Others are served.
            relay.heal()
        self.check_through(broker, alice, bob, count)
        self.assertEqual(len(bob.events("connected")), 1)

    def test_no_connection_of_the_library_has_heartbeats_of_zmtp(self):
        # A broker aborts in libzmq when it loses one at the wrong moment: zeromq/libzmq#4841.
        broker = self.start_broker("--heartbeat", "50ms", "--silence", "5s")
        relay = Relay(broker.port, whole_frames=True)
        self.addCleanup(relay.close)
        bob = self.start_receiver("bob", relay.endpoint, 1)
        relay.cut()
        bob.wait_for("connected", 2)
        borders = relay.connections[-1].borders[TO_BROKER]
        wait_until(lambda: borders.messages > 20, "bob has answered pings for a while")
        self.assertEqual(borders.commands, 1, "READY")

    def test_a_slow_network_changes_nothing_but_the_time(self):
        broker = self.start_broker()
        relays = self.relays(broker)
        for relay in relays:
            relay.delay = 0.01
        count = scaled(20_000, 200_000)
        alice, bob = self.pair_through(broker, relays, count, span=20)
        self.check_through(broker, alice, bob, count)


if __name__ == "__main__":
    unittest.main()
