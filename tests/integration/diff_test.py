#!/usr/bin/python3
"""zpost-inspect diff: two captures of one run, and of two.

ZPOST_BIN names the directory of the programs.
"""
import gzip
import json
import re
import shlex
import subprocess
import unittest

from capture_test import ROOT, CaptureCase
from programs import BIN, PATIENCE_S, await_true, environment

SAME, DIFFERENT, TROUBLE = 0, 1, 2
CAPTURES = ROOT / "tests/integration/captures"


class DiffTest(CaptureCase):
    def diff(self, *arguments):
        return self.run_program("zpost-inspect", "diff", *map(str, arguments))

    def record(self, name, bodies, *arguments):
        """A capture of alice's envelopes to bob, all delivered."""
        receiver = self.start_recv("bob")
        capture, file = self.start_capture(name, *arguments)
        for body in bodies:
            self.assertEqual(self.send("bob", body).returncode, 0)
        self.await_objects(file, len(bodies), event="delivered", to="bob")
        self.assertEqual(capture.stop(), 0)
        receiver.stop()
        return file

    def objects_of(self, *arguments):
        done = self.diff(*arguments, "--json")
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def test_a_capture_is_the_same_as_itself_in_any_format(self):
        file = self.record("a.pcapng", ["one", '{"n": 1}'])
        lines = self.folder / "a.jsonl.gz"
        self.assertEqual(self.read(file, "-w", lines).returncode, 0)
        for other in (file, lines):
            done = self.diff(file, other)
            self.assertEqual((done.returncode, done.stderr), (SAME, ""), done.stdout)
            self.assertRegex(done.stdout, r"(?m)^alice → bob +send +2 +2 +2 +0 +0 +0 ")
            self.assertIn("paired by id: ", done.stdout)

    def test_columns_stand_below_each_other_however_long_the_names_are(self):
        names = ("bob", "a-receiver-with-a-long-name", "a-receiver-with-a-name-longer-than-columns-are")
        capture, file = self.start_capture("a.pcapng")
        for name in names:
            self.start_recv(name)
            self.assertEqual(self.send(name, "one").returncode, 0)
            self.await_objects(file, 1, event="delivered", to=name)
        self.assertEqual(capture.stop(), 0)
        none = self.read(file, "--filter", "from = nobody", "-w", self.folder / "b.pcapng")
        self.assertEqual(none.returncode, 0, none.stderr)
        told = self.diff(file, self.folder / "b.pcapng").stdout.splitlines()
        for start in ("only in A  alice → ", "alice → "):
            rows = [row for row in told if row.startswith(start)]
            self.assertEqual(len(rows), len(names), told)
            self.assertEqual(len({row.index(" send ") for row in rows}), 1, told)
        self.assertTrue(any("a-receiver-with-a-long-name " in row for row in told), told)

    def test_two_runs_are_compared_by_order_and_bodies(self):
        first = self.record("a.pcapng", [json.dumps({"time": 1, "n": n}) for n in (1, 2, 3)])
        second = self.record("b.pcapng", [json.dumps({"time": 2, "n": n}) for n in (1, 5, 3)])
        choice = ("--filter", "to = bob")
        self.assertEqual(self.diff(first, second, *choice).returncode, DIFFERENT)
        done = self.diff(first, second, *choice, "--ignore-field", "body.time")
        self.assertEqual(done.returncode, DIFFERENT)
        self.assertRegex(done.stdout, r"(?m)^changed +alice → bob +send +#\d+ #\d+  body\.n 2 → 5$")
        self.assertIn("paired by order: 2 the same, 1 changed, 0 only in A, 0 only in B",
                      done.stdout)
        self.assertRegex(done.stdout, r"(?m)^alice → bob +send .* [\d.]+ [µm]?s → [\d.]+ [µm]?s")
        same = self.diff(first, second, *choice, "--ignore-field", "time", "--ignore-field", "n")
        self.assertEqual(same.returncode, SAME, same.stdout)

    def test_what_is_only_in_one_of_them_is_listed(self):
        first = self.record("a.pcapng", ["one", "two", "three"])
        second = self.record("b.pcapng", ["one", "three", "four"])
        code, told = self.objects_of(first, second, "--filter", "to = bob")
        self.assertEqual(code, DIFFERENT)
        self.assertEqual([(each["difference"], each.get("first", each.get("second"))["body"])
                          for each in told if "difference" in each],
                         [("only-first", "two"), ("only-second", "four")])
        summary = told[-1]["summary"]
        self.assertEqual((summary["same"], summary["only_first"], summary["only_second"],
                          summary["paired_by"]), (2, 1, 1, "order"))
        stream = next(each for each in told if "stream" in each)
        self.assertGreater(stream["latency"]["first"]["p99_ns"], 0)

    def test_an_outcome_that_changed_is_a_difference(self):
        first = self.record("a.pcapng", ["hello"])
        capture, second = self.start_capture("b.pcapng")
        self.assertEqual(self.send("bob", "hello").returncode, 3)
        self.await_objects(second, 1, event="failed")
        self.assertEqual(capture.stop(), 0)
        done = self.diff(first, second, "--to", "bob")
        self.assertEqual(done.returncode, DIFFERENT)
        self.assertIn("outcome delivered → no-peer", done.stdout)

    def test_redacted_and_cut_bodies_are_no_differences(self):
        self.start_recv("carl")
        captures = [self.start_capture("a.pcapng"),
                    self.start_capture("b.pcapng", "--redact", "field=user.password"),
                    self.start_capture("c.pcapng", "--snap", "80"),
                    self.start_capture("d.pcapng", "--headers")]
        self.send("carl", json.dumps({"user": {"password": "x", "name": "ann" * 30}}))
        for capture, file in captures:
            self.await_objects(file, 1, event="delivered", to="carl")
            self.assertEqual(capture.stop(), 0)
        whole, redacted, cut, headers = (file for _, file in captures)
        for other, words in ((redacted, "1 redacted, 0 cut"), (cut, "0 redacted, 1 cut"),
                             (headers, "0 redacted, 1 cut")):
            done = self.diff(whole, other, "--to", "carl")
            self.assertEqual(done.returncode, SAME, done.stdout)
            self.assertIn(words, done.stdout)

    def test_trouble_has_an_exit_code_of_its_own(self):
        file = self.record("a.pcapng", ["one"])
        self.assertEqual(self.diff(file, self.folder / "none").returncode, TROUBLE)
        self.assertEqual(self.diff(file).returncode, TROUBLE)
        nothing = self.diff(file, file, "--from", "bobo")
        self.assertEqual(nothing.returncode, TROUBLE)
        self.assertIn("nothing was compared", nothing.stderr)
        cut = self.folder / "cut.pcapng"
        cut.write_bytes(file.read_bytes()[:-150])
        done = self.diff(file, cut)
        self.assertEqual(done.returncode, TROUBLE)
        self.assertRegex(done.stderr, r"cut\.pcapng: byte \d+: it is cut")
        wrong = self.diff(file, file, "--ignore-field", "body..x")
        self.assertEqual(wrong.returncode, TROUBLE)
        self.assertIn("is no path such as body.time", wrong.stderr)


class DocumentTest(unittest.TestCase):
    def test_the_example_of_the_document_is_what_the_program_says(self):
        """Of captures/before.pcapng and after.pcapng."""
        example = re.search(r"^    \$ (zpost-inspect diff .*\n(?:    .*\n|\n)+)",
                            (ROOT / "docs/diff.md").read_text(), re.M).group(1)
        command, *lines = [line.removeprefix("    ") for line in example.rstrip().split("\n")]
        program, *arguments = shlex.split(command)
        done = subprocess.run([str(BIN / program), *arguments], cwd=CAPTURES, capture_output=True,
                              text=True, env=environment(""), timeout=PATIENCE_S, check=False)
        self.assertEqual((done.returncode, done.stderr), (DIFFERENT, ""))
        self.assertEqual(done.stdout.rstrip().split("\n"), lines)


class JsonLinesTest(CaptureCase):
    def test_json_lines_are_read_wherever_pcapng_is(self):
        file = self.end(*self.exchange())
        everything = self.objects(file)
        for name in ("a.jsonl", "a.json.gz", "a.jsonl.zst"):
            lines = self.folder / name
            self.assertEqual(self.read(file, "-w", lines).returncode, 0)
            self.assertEqual(self.objects(lines), everything)
            back = self.folder / "back.pcapng"
            self.assertEqual(self.read(lines, "-w", back).returncode, 0)
            self.assertEqual(self.objects(back), everything)
            stats = self.read(lines, "--stats", "--format", "json").stdout
            self.assertEqual(json.loads(stats)["outcomes"], {"delivered": 2, "no-peer": 1})
            chosen = self.objects(lines, "--filter", "body.n = 1")
            self.assertEqual([each["to"] for each in chosen], ["bob"])
            graph = self.run_program("zpost-inspect", "graph", str(lines))
            self.assertIn('[label="nobody"]', graph.stdout)
        merged = self.objects(self.folder / "a.jsonl", file)
        self.assertEqual(len(merged), 2 * len(everything))
        times = [each["time"] for each in merged]
        self.assertEqual(times, sorted(times))

    def test_what_was_captured_as_json_lines_is_read(self):
        self.start_recv("bob")
        capture, file = self.start_capture("live.jsonl.gz", "--events", "received")
        self.send("bob", "hello")
        await_true(lambda: "hello" in self.read(file).stdout, "hello")
        self.assertEqual(capture.stop(), 0)
        self.assertRegex(self.read(file).stdout, r'received  alice → bob +send +\d+ B +#\d+ "hello"')

    def test_damage_is_said_and_passed_over(self):
        file = self.end(*self.exchange())
        lines = self.folder / "a.jsonl"
        self.assertEqual(self.read(file, "-w", lines).returncode, 0)
        good = lines.read_text().splitlines()
        lines.write_text("\n".join(good[:3] + ['{"event": "no"}'] + good[3:]))
        done = self.read(lines, "--format", "json")
        self.assertEqual(done.returncode, 1)
        at = sum(len(line) + 1 for line in good[:3])
        self.assertIn(f'a.jsonl: byte {at}: "event" is "no"', done.stderr)
        repaired = self.read(lines, "--repair", "--format", "json")
        self.assertEqual(repaired.returncode, 0)
        self.assertEqual(repaired.stdout.splitlines(), good)

    def test_an_empty_capture_of_json_lines_is_one(self):
        for name, content in (("a.jsonl", b""), ("a.jsonl.gz", gzip.compress(b""))):
            (self.folder / name).write_bytes(content)
            done = self.read(self.folder / name)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


del CaptureCase
if __name__ == "__main__":
    unittest.main(verbosity=2)
