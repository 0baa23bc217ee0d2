#!/usr/bin/python3
"""zpost-inspect snapshot: the recorder into a file, at once and when something happens.

ZPOST_BIN names the directory of the programs.
"""
import signal
import unittest

from capture_test import CaptureCase
from programs import FAILED, REFUSED, UNREACHABLE, USAGE


class SnapshotCase(CaptureCase):
    def snapshot(self, name, *arguments):
        file = self.folder / name
        done = self.run_program("zpost-inspect", "snapshot", "-w", str(file), *arguments)
        return done, file

    def start_trigger(self, name, condition, *arguments):
        file = self.folder / name
        waiting = self.start("zpost-inspect", "snapshot", "-w", str(file), "--on", condition,
                             *arguments)
        waiting.await_message("^waiting at ")
        return waiting, file


class AtOnceTest(SnapshotCase):
    def test_what_nobody_watched_is_in_the_file(self):
        self.start_recv("bob")
        self.assertEqual(self.send("bob", "hello").returncode, 0)
        self.assertEqual(self.send("nobody", "hello").returncode, 3)
        done, file = self.snapshot("before.pcapng.gz")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\d+ records to .*, none missed")
        seen = [(each["event"], each["to"]) for each in self.objects(file)
                if each.get("from") == "alice" and each["event"] != "session"]
        for wanted in (("received", "bob"), ("delivered", "bob"), ("failed", "nobody")):
            self.assertIn(wanted, seen)

    def test_only_what_is_wanted_is_written(self):
        self.assertEqual(self.send("nobody", "hello").returncode, 3)
        self.assertEqual(self.send("noone", "hello").returncode, 3)
        done, file = self.snapshot("before.pcapng", "--last", "5m", "--filter", "to = noone")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({each["to"] for each in self.objects(file)}, {"noone"})
        done, file = self.snapshot("failed.pcapng", "--events", "failed", "--from", "alice")
        self.assertEqual([each["event"] for each in self.objects(file)], ["failed", "failed"])

    def test_a_file_is_kept_where_there_is_nothing_to_write(self):
        self.assertEqual(self.send("nobody", "hello").returncode, 3)
        before = self.snapshot("kept.pcapng")[1].read_bytes()
        done, file = self.snapshot("kept.pcapng", "--from", "stranger")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("nothing to write", done.stderr)
        self.assertEqual(file.read_bytes(), before)

    def test_wrong_use_is_explained(self):
        for arguments, words in ((("--times", "2"), "--times goes with --on"),
                                 (("--on", "frm = alice"), "there is no field"),
                                 (("--filter", "body = 1"), "has no bodies")):
            done, _ = self.snapshot("x.pcapng", *arguments)
            self.assertEqual(done.returncode, USAGE, done.stderr)
            self.assertIn(words, done.stderr)
        done, _ = self.snapshot("nowhere/x.pcapng")
        self.assertEqual(done.returncode, FAILED)
        self.broker.stop(signal.SIGKILL)
        self.assertEqual(self.snapshot("x.pcapng")[0].returncode, UNREACHABLE)


class TriggerTest(SnapshotCase):
    def test_what_came_before_and_after_is_written_when_it_happens(self):
        self.start_recv("bob")
        self.assertEqual(self.send("bob", "before").returncode, 0)
        waiting, file = self.start_trigger("loss.pcapng", "outcome = no-peer", "--after", "1h")
        self.assertEqual(self.send("nobody", "trigger").returncode, 3)
        waiting.await_message("^it happened at ")
        # The file is there once the tap is open.
        self.await_objects(file, 1, event="failed", to="nobody")
        self.assertEqual(self.send("bob", "afterwards").returncode, 0)
        self.await_objects(file, 1, body="afterwards")
        self.assertEqual(waiting.stop(signal.SIGINT), 0)
        seen = self.objects(file)
        order = [(each["event"], each["to"]) for each in seen if each.get("from") == "alice"
                 and each["event"] in ("received", "failed")]
        self.assertEqual(order[0], ("received", "bob"))
        self.assertIn(("failed", "nobody"), order)
        self.assertEqual(order[-1], ("received", "bob"))
        ids = [each["id"] for each in seen if each["event"] == "received"]
        self.assertEqual(len(ids), len(set(ids)), "no envelope is told twice")

    def test_the_broker_refuses_more_inspectors_than_it_may_have(self):
        config = self.folder / "one.toml"
        config.write_text("[limits]\ninspectors = 1\n")
        self.broker.stop()
        self.broker = self.start("zpost-broker", "--listen", self.endpoint, "--config",
                                 str(config), "--state", f"{self.folder}/one")
        self.broker.await_line("^listening on ")
        waiting, _ = self.start_trigger("waits.pcapng", "outcome = lost")
        done, file = self.snapshot("refused.pcapng")
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn("limits.inspectors (1)", done.stderr)
        self.assertFalse(file.exists())
        waiting.stop()

    def test_each_time_has_a_file_of_its_own(self):
        self.start_recv("bob")
        waiting, _ = self.start_trigger("odd.jsonl", "body ~ wrong", "--after", "50ms",
                                        "--times", "2")
        self.send("bob", "right")
        self.send("bob", "all wrong")
        waiting.await_message("odd_00001_.*none missed")
        waiting.await_message("^waiting at ", 2)
        self.send("bob", "wrong again")
        waiting.await_message("odd_00002_")
        self.assertEqual(waiting.stop(), 0)
        self.assertEqual(len(list(self.folder.glob("odd_0000?_*.jsonl"))), 2)

    def test_whoever_stops_waiting_is_told_that_nothing_happened(self):
        waiting, file = self.start_trigger("never.pcapng", "outcome = lost")
        self.assertEqual(waiting.stop(signal.SIGINT), 128 + signal.SIGINT)
        self.assertFalse(file.exists())


del CaptureCase, SnapshotCase
if __name__ == "__main__":
    unittest.main()
