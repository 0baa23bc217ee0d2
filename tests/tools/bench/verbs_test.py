#!/usr/bin/python3
"""The verbs of zpost-bench run and keep exact ledgers. Numbers are tiny: nothing is measured."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

if "ZPOST_BIN" not in os.environ:
    sys.exit("ZPOST_BIN must name the folder of zpost-bench (ctest sets it)")
BENCH = pathlib.Path(os.environ["ZPOST_BIN"]).resolve() / "zpost-bench"


def bench(*arguments, files=None):
    """Runs it, where `files` says so with a limit of open files."""
    limit = [] if files is None else ["prlimit", f"--nofile={files}"]
    return subprocess.run([*limit, BENCH, *arguments], capture_output=True, text=True, timeout=150)


class VerbTest(unittest.TestCase):
    def run_json(self, *arguments, code=0, files=None):
        """The one object it prints."""
        done = bench(*arguments, "--format", "json", files=files)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)


class MemoryTest(VerbTest):
    def check_ring(self, system):
        result = self.run_json("memory", "--system", system, "--peers", "20", "--envelopes", "25",
                               "--idle", "0.1")
        self.assertEqual(
            {key: result[key] for key in
             ("peers", "sent", "received", "lost", "duplicated", "reordered", "corrupt")},
            {"peers": 20, "sent": 500, "received": 500, "lost": 0, "duplicated": 0, "reordered": 0,
             "corrupt": 0})
        for time in ("at_start", "after_hello", "after_envelopes"):
            self.assertGreater(result[time]["rss_bytes"], 0)
            self.assertGreater(result[time]["pss_bytes"], 0)

    def test_a_ring_of_library_peers_passes_everything_on(self):
        self.check_ring("zpost")

    def test_a_ring_of_simple_peers_passes_everything_on(self):
        self.check_ring("zpost-simple")

    def test_a_ring_around_a_bare_router_passes_everything_on(self):
        self.check_ring("router-hwm1000")

    def test_a_limit_that_is_too_low_is_named_at_once(self):
        result = self.run_json("memory", "--system", "zpost", "--peers", "200", code=4,
                               files=150)
        self.assertEqual(result["failure"], "this takes 2500 open files in one process, and open "
                                            "files (ulimit -Hn) is 150")

    def test_a_stopped_peer_leaves_the_others_theirs(self):
        result = self.run_json("memory", "--amplification", "--envelopes", "500", "--memory",
                               "1GiB")
        self.assertEqual((result["passed"], result["wanted"]), (1500, 1500))
        self.assertGreater(result["held"], 0)
        self.assertLessEqual(result["peak_growth_bytes"], result["limit_bytes"])

    def test_systems_that_cannot_say_so(self):
        done = bench("memory", "--system", "tcp-relay")
        self.assertEqual(done.returncode, 2)
        self.assertIn("tcp-relay does not support memory; these do: zpost-spans", done.stderr)


class StallTest(VerbTest):
    SENT = 2_000

    def stall(self, mode, stop, *arguments):
        result = self.run_json("stall", "--system", "zpost", "--mode", mode, "--stop", stop,
                               "--envelopes", str(self.SENT), "--size", "100", "--before", "0.2",
                               *arguments)
        stalled, other, told = result["stalled"], result["other"], result["told"]
        self.assertEqual(stalled["sent"], self.SENT)
        self.assertEqual(other["arrived"], other["sent"])
        for pair in (stalled, other):
            self.assertEqual((pair["duplicated"], pair["reordered"], pair["corrupt"]), (0, 0, 0))
        self.assertTrue(result["balances"])
        self.assertEqual((result["mode"], result["vanished"], told["stray"]), (mode, 0, 0))
        return stalled, told

    def test_below_silence_all_is_delivered(self):
        stalled, told = self.stall("below", "1")
        self.assertEqual((stalled["arrived"], told["delivered"]), (self.SENT, self.SENT))

    def test_back_in_time_all_is_delivered(self):
        stalled, told = self.stall("away", "2")
        self.assertEqual((stalled["arrived"], told["delivered"]), (self.SENT, self.SENT))

    def test_beyond_resume_arrived_and_lost_is_what_was_sent(self):
        stalled, told = self.stall("beyond", "4")
        self.assertGreater(told["lost"], 0)
        self.assertEqual(stalled["arrived"] - told["taken_in_vain"] + told["lost"] + told["other"],
                         self.SENT)

    def test_what_vanishes_untold_is_exit_code_3(self):
        arguments = ("stall", "--system", "redis", "--mode", "below", "--stop", "1", "--before",
                     "0.2", "--envelopes", "100000", "--memory", "16MiB")
        if bench("throughput", "--system", "redis", "--messages", "1").returncode == 2:
            self.skipTest("no redis here")
        result = self.run_json(*arguments, code=3)
        self.assertGreater(result["vanished"], 0)
        self.assertEqual(result["vanished"],
                         result["stalled"]["sent"] - result["stalled"]["arrived"])
        self.assertNotIn("told", result)

    def test_times_that_do_not_make_the_mode_are_refused(self):
        done = bench("stall", "--mode", "beyond", "--stop", "1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("is 'below', not 'beyond'", done.stderr)


class FairnessTest(VerbTest):
    TINY = ("--quiet", "2", "--rate", "200", "--senders", "2", "--seconds", "0.1", "--rounds", "2")

    def check_rounds(self, system):
        result = self.run_json("fairness", "--system", system, *self.TINY)
        self.assertEqual(len(result["rounds"]), 2)
        for one in result["rounds"]:
            self.assertEqual(list(one), ["idle", "flood", "even"])
            self.assertEqual([phase["round_trips"] for phase in one.values()], [40, 40, 40])
            self.assertEqual(one["idle"]["load"]["sent"], 0)
            self.assertEqual(one["even"]["offered_per_second"], one["flood"]["arrived_per_second"])
            for phase in one.values():
                self.assertEqual(phase["load"]["arrived"], phase["load"]["sent"])
                self.assertGreater(phase["p99_us"], 0)
        self.assertGreater(result["p99_ratio"]["median"], 0)
        self.assertNotIn("exceeded", result)

    def test_a_flood_one_by_one_and_the_same_load_of_many_arrive_whole(self):
        self.check_rounds("zpost-singles")

    def test_a_flood_of_spans_and_the_same_load_of_many_arrive_whole(self):
        self.check_rounds("zpost-spans")

    def test_a_flood_keeps_to_what_it_is_to_offer(self):
        result = self.run_json("fairness", *self.TINY, "--offered", "2000")
        for one in result["rounds"]:
            self.assertEqual(one["flood"]["offered_per_second"], 2000)
            # It ends within seconds, and without a pace it would have sent some hundred thousand.
            self.assertLess(one["flood"]["load"]["sent"], 2000 * 10)

    def test_a_ratio_above_the_most_is_exit_code_3(self):
        result = self.run_json("fairness", *self.TINY, "--most", "0.01", code=3)
        self.assertTrue(result["exceeded"])

    def test_a_ratio_below_the_most_is_exit_code_0(self):
        result = self.run_json("fairness", *self.TINY, "--most", "1000")
        self.assertFalse(result["exceeded"])


class CompareTest(VerbTest):
    def summaries(self, *arguments):
        done = bench("compare", *arguments, "--rounds", "1", "--format", "json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [line for line in lines if line["type"] == "summary"]

    def test_answers_to_several_calls_have_no_order_to_lose(self):
        (row,) = self.summaries("--with", "zpost-singles", "--work", "64B-calls2", "--messages",
                                "2000")
        self.assertEqual((row["lost"], row["duplicated"], row["reordered"], row["corrupt"]),
                         (0, 0, 0, 0))

    def test_who_cannot_do_a_work_is_left_out_of_it(self):
        rows = self.summaries("--with", "zpost-spans,zpost-singles", "--work",
                              "64B-1p,64B-fan2", "--messages", "500")
        self.assertEqual([(row["table"], row["work"], row["system"]) for row in rows],
                         [("pairs", "64B-1p", "zpost-spans"), ("pairs", "64B-1p", "zpost-singles"),
                          ("topics", "64B-fan2", "zpost-singles")])

    def test_both_tables_have_a_title(self):
        done = bench("compare", "--with", "zpost-singles", "--work", "64B-fan2,64B-1p",
                     "--messages", "500", "--rounds", "1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        titles = [line for line in done.stdout.splitlines() if line.startswith("===")]
        self.assertEqual(titles, ["=== Pairs and round trips ===", "=== Topics and services ==="])

    def test_a_fan_out_to_many_starts_within_its_time(self):
        (row,) = self.summaries("--with", "zpost-singles", "--work", "64B-fan150", "--messages",
                                "20")
        self.assertEqual((row["lost"], row["duplicated"], row["corrupt"]), (0, 0, 0))

    def test_work_that_none_can_do_is_refused(self):
        done = bench("compare", "--with", "tcp-relay", "--work", "64B-fan2")
        self.assertEqual(done.returncode, 2)
        self.assertIn("none of these systems can do any of this work", done.stderr)


if __name__ == "__main__":
    unittest.main()
