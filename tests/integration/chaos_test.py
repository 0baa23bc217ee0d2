#!/usr/bin/python3
"""Real programs suffer what networks and machines do to them; then both ends' ledgers must agree.

Short: a few seeds. Long: ZPOST_LONG=1, or by hand `chaos_test.py --minutes 30 --seed 7`.
docs/chaos.md tells what is done and checked.
"""
import argparse
import collections
import pathlib
import random
import shutil
import sys
import tempfile
import time
import unittest

from chaos_group import Group
from chaos_ledgers import Ledgers, copy_ledger
from chaos_network import NetemGroup, NetworkGroup, has_namespaces, has_netem
from support import LONG, Case

SEEDS = (1, 2)
LONG_MINUTES = 4
ENVELOPES_BETWEEN, SECONDS_BETWEEN = 1500, 1.0  # Between two troubles, whichever is first.


class Tally:
    """What was survived, over all rounds."""

    def __init__(self):
        self.seconds, self.rounds = 0, 0
        self.troubles, self.envelopes = collections.Counter(), collections.Counter()

    def __str__(self):
        by_kind = collections.defaultdict(list)
        for (kind, outcome), count in sorted(self.envelopes.items()):
            by_kind[kind].append(f"{outcome} {count:,}")
        troubles = ", ".join(f"{name} {count}" for name, count in sorted(self.troubles.items()))
        envelopes = "; ".join(f"{kind}: {', '.join(outcomes)}"
                              for kind, outcomes in by_kind.items() if kind not in
                              ("subscribe", "offer"))
        return (f"chaos: {self.seconds / 60:.1f} minutes, {self.rounds} rounds; survived "
                f"{sum(self.troubles.values())} troubles ({troubles}); envelopes: {envelopes}")


class ChaosTest(Case):
    @classmethod
    def setUpClass(cls):
        cls.tally = Tally()

    @classmethod
    def tearDownClass(cls):
        if cls.tally.rounds:
            print(cls.tally, file=sys.stderr)

    def round(self, seed, times=1, group_of=Group, **group_options):
        """One group from its beginning to its end."""
        began = time.monotonic()
        faults = []
        chance = random.Random(seed)
        group = group_of(self, seed, chance, **group_options)
        try:
            names = list(group.troubles) * times
            chance.shuffle(names)
            self.trouble(group, names)
            group.settle()
            ledgers = Ledgers(group.names, group.incarnations())
            faults = ledgers.check()
            self.assertFalse(faults, f"{len(faults)} faults")
            self.check_something_happened(ledgers)
        except BaseException as error:
            self.keep(group, seed, faults or [str(error)])
            raise
        group.close()
        self.tally.envelopes += ledgers.count()
        self.tally.rounds += 1
        self.tally.seconds += time.monotonic() - began

    def trouble(self, group, names):
        for name in names:
            group.go_on(ENVELOPES_BETWEEN, SECONDS_BETWEEN)
            peers = list(group.peers)
            group.random.shuffle(peers)
            for peer in peers:
                did = group.troubles[name](group, peer)
                if did:
                    group.tell(did)
                    self.tally.troubles[name] += 1
                    break
        group.go_on(ENVELOPES_BETWEEN, SECONDS_BETWEEN)

    def check_something_happened(self, ledgers):
        counts = ledgers.count()
        for kind, outcome in (("send", "delivered"), ("send", "no-peer"), ("send", "arrived"),
                              ("publish", "arrived"), ("request", "replied"), ("call", "replied"),
                              ("request", "rejected"), ("call", "arrived")):
            self.assertGreater(counts[kind, outcome], 0, (kind, outcome))

    def keep(self, group, seed, faults):
        """The ledgers and the logs, and the story."""
        kept = pathlib.Path(tempfile.mkdtemp(prefix=f"zpost-chaos-seed-{seed}-"))
        for path in [*self.folder.iterdir(), *group.folder.iterdir()]:
            if path.suffix in (".sent", ".got"):
                copy_ledger(path, kept / path.name)
            elif path.is_file():
                shutil.copy(path, kept)
        story = [f"{seconds:8.3f} {what}" for seconds, what in group.story]
        lines = [f"seed {seed}", *story, f"{len(faults)} faults, the first:", *faults[:20]]
        (kept / "story").write_text("\n".join(lines + faults[20:]) + "\n")
        print(*lines, f"kept: {kept}", sep="\n", file=sys.stderr)


class ShortChaosTest(ChaosTest):
    @unittest.skipIf(LONG, "the long form runs")
    def test_ledgers_of_both_ends_agree_after_all_troubles(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.round(seed)


class NetworkChaosTest(ChaosTest):
    """The long form takes turns between these and the plain one."""

    @unittest.skipUnless(has_namespaces(), "no network namespaces here (they need root)")
    def test_ledgers_agree_after_links_were_down(self):
        self.round(21, group_of=NetworkGroup)

    @unittest.skipUnless(has_netem(), "no tc netem here (root, and the kernel's sch_netem)")
    def test_ledgers_agree_after_packets_were_late_lost_and_out_of_order(self):
        self.round(22, group_of=NetemGroup)


class LongChaosTest(ChaosTest):
    minutes, seed = LONG_MINUTES if LONG else 0, 1000

    def test_ledgers_of_both_ends_agree_after_all_troubles_again_and_again(self):
        if not self.minutes:
            self.skipTest("ZPOST_LONG=1 or --minutes runs it")
        deadline = time.monotonic() + 60 * self.minutes
        kinds = [Group, Group]
        if has_namespaces():
            kinds.append(NetworkGroup)
        if has_netem():
            kinds.append(NetemGroup)
        seed = self.seed
        while time.monotonic() < deadline:
            self.round(seed, times=3, group_of=kinds[seed % len(kinds)], count=3 + seed % 4,
                       pause_ms=(10, 4, 20)[seed % 3])
            print(f"seed {seed}: {self.tally}", file=sys.stderr)
            seed += 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int, default=LongChaosTest.seed)
    options, rest = parser.parse_known_args()
    if options.minutes:
        LongChaosTest.minutes, LongChaosTest.seed = options.minutes, options.seed
        rest.append("LongChaosTest")
    unittest.main(argv=[sys.argv[0], *rest])
