#!/usr/bin/python3
"""zpost-inspect capture and read, and the Wireshark dissector, against a real broker.

ZPOST_BIN names the directory of the programs. Without tshark what needs it is passed over.
"""
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import unittest
import zlib

from programs import (BIN, FAILED, PATIENCE_S, UNREACHABLE, USAGE, await_true, environment,
                      minds)
from tail_test import Program
from tcp_file import TcpFile, recording_relay

ROOT = pathlib.Path(__file__).resolve().parents[2]
DISSECTOR = ROOT / "tools/wireshark/zpost.lua"
TSHARK, CAPINFOS = shutil.which("tshark"), shutil.which("capinfos")
SECRET = "hunter2"


def tshark(file, *arguments):
    """Its lines. A trouble of the dissector is a failure."""
    done = subprocess.run([TSHARK, "-X", f"lua_script:{DISSECTOR}", "-r", str(file), *arguments],
                          capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": tempfile.gettempdir()})
    for output in (done.stdout, done.stderr):
        if "Lua" in output or "Malformed" in output:
            raise AssertionError(output[:4000])
    return done.stdout.splitlines()


def fields(file, display_filter, *names):
    """Of each packet the fields, each a list of its values."""
    wanted = [part for name in names for part in ("-e", name)]
    lines = tshark(file, "-Y", display_filter, "-T", "fields", *wanted)
    return [[value.split(",") if value else [] for value in line.split("\t")] for line in lines]


class CaptureCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.broker = Program("zpost-broker", "--listen", "tcp://127.0.0.1:*", "--state",
                              f"{self.folder}/state", endpoint="")
        self.addCleanup(self.broker.stop, signal.SIGKILL)
        self.endpoint = self.broker.await_line("^listening on ").split()[2]

    def start(self, program, *arguments, endpoint=None):
        started = Program(program, *arguments, endpoint=endpoint or self.endpoint)
        self.addCleanup(started.stop, signal.SIGKILL)
        return started

    def run_program(self, program, *arguments, stdin="", endpoint=None):
        return subprocess.run([str(BIN / program), *arguments], input=stdin, capture_output=True,
                              env=environment(endpoint or self.endpoint), timeout=PATIENCE_S,
                              text=True, errors="surrogateescape", check=False)

    def send(self, *arguments, **more):
        return self.run_program("zpost-peer", "send", "--as", "alice", *arguments, **more)

    def start_recv(self, name, *arguments, **more):
        receiver = self.start("zpost-peer", "recv", "--as", name, *arguments, **more)
        await_true(lambda: self.run_program("zpost-peer", "who", name).returncode == 0, name)
        # The broker knows it a moment before.
        await_true(lambda: minds(receiver.process, signal.SIGTERM), f"{name} minds signals")
        return receiver

    def await_routed(self, name, *to):
        """Until what goes there goes to that subscriber or worker."""
        await_true(lambda: name in self.run_program("zpost-inspect", "route", *to).stdout, name)

    def start_capture(self, name, *arguments):
        file = self.folder / name
        capture = self.start("zpost-inspect", "capture", "-w", str(file), *arguments)
        capture.await_message("^capturing")
        return capture, file

    def read(self, *arguments):
        return self.run_program("zpost-inspect", "read", *map(str, arguments))

    def objects(self, *arguments):
        done = self.read(*arguments, "--format", "json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def await_objects(self, file, count, **wanted):
        """Until the growing file has so many such records."""
        def there():
            done = self.read(file, "--format", "json")
            seen = [json.loads(line) for line in done.stdout.splitlines()]
            seen = [each for each in seen
                    if all(each.get(key) == value for key, value in wanted.items())]
            return len(seen) >= count and seen
        return await_true(there, f"{count} of {wanted} in {file}")

    def exchange(self, name="trace.pcapng", *arguments):
        """A capture of alice's two envelopes to bob and one to nobody, ended."""
        self.start_recv("bob")
        capture, file = self.start_capture(name, *arguments)
        self.assertEqual(self.send("bob", "hello bob").returncode, 0)
        self.assertEqual(self.send("bob", json.dumps(
            {"user": {"name": "ann", "password": SECRET}, "n": 1})).returncode, 0)
        self.assertEqual(self.send("nobody", "hello?").returncode, 3)
        return capture, file

    def end(self, capture, file):
        """Once all of exchange() is there."""
        self.await_objects(file, 1, event="failed")
        self.await_objects(file, 2, event="delivered")
        self.assertEqual(capture.stop(), 0)
        return file


class CaptureTest(CaptureCase):
    def test_what_was_captured_is_read_as_tail_shows_it(self):
        tail = self.start("zpost-inspect", "tail", "--format", "json")
        tail.await_message("^watching")
        file = self.end(*self.exchange())
        tail.await_object(event="failed")
        # What the two inspectors themselves do is not the same for both.
        own = ("session", "asked")
        read = [each for each in self.objects(file) if each["event"] not in own]
        tailed = [each for each in tail.objects() if each["event"] not in own]
        for each in read + tailed:
            each.pop("sequence")  # Each tap counts by itself.
        self.assertEqual(read, tailed)
        text = self.read(file).stdout
        self.assertRegex(text, r'received  alice → bob +send +\d+ B +#\d+ "hello bob"')

    def test_a_signal_ends_it_with_the_counts_in_words(self):
        capture, file = self.exchange()
        self.await_objects(file, 1, event="failed")
        self.assertEqual(capture.stop(signal.SIGINT), 0)
        capture.await_message(r"^\d+ records captured, none missed, .* in 1 file$")

    def test_a_killed_one_leaves_a_file_that_can_be_read(self):
        for name in ("trace.pcapng", "trace.pcapng.gz", "trace.pcapng.zst", "trace.jsonl"):
            with self.subTest(name):
                receiver = self.start_recv(name.replace(".", "-"))
                capture, file = self.start_capture(name)
                self.send(name.replace(".", "-"), "last words")
                if name.endswith("jsonl"):
                    await_true(lambda: "last words" in file.read_text(), "last words")
                else:
                    self.await_objects(file, 1, event="received", body="last words")
                capture.stop(signal.SIGKILL)
                receiver.stop()
                if not name.endswith("jsonl"):
                    self.assertIn("last words", self.read(file).stdout)

    def test_json_lines_are_those_of_tail(self):
        capture, file = self.exchange("trace.jsonl.gz", "--events", "received")
        def unpacked():
            # Not gzip.open: as long as it is written the file has no end.
            return zlib.decompressobj(31).decompress(file.read_bytes()).decode()
        await_true(lambda: "hello bob" in unpacked() and SECRET in unpacked(), "both bodies")
        self.assertEqual(capture.stop(), 0)
        objects = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
        self.assertEqual({each["event"] for each in objects}, {"received"})
        self.assertEqual(objects[0]["body"], "hello bob")

    def test_every_body_is_kept_however_many_come_at_once(self):
        self.start_recv("bob")
        capture, file = self.start_capture("all.pcapng", "--events", "received")
        lines = [f"{n} " + "x" * 500 for n in range(3000)]
        self.assertEqual(self.send("bob", "--lines", stdin="\n".join(lines)).returncode, 0)
        bodies = [each.get("body") for each in self.await_objects(file, 3000, event="received")]
        self.assertEqual(bodies, lines)
        capture.stop()
        self.start("zpost-inspect", "capture", "-w", str(file), "--snap", "100").await_message(
            "^capturing")
        self.assertEqual(self.send("bob", "--lines", stdin="\n".join(lines)).returncode, 0)
        cut = self.await_objects(file, 3000, event="received")
        for each, line in zip(cut, lines):
            self.assertTrue(line.startswith(each["body"].removesuffix("…")), each)
            self.assertTrue(40 < len(each["body"]) < 100, each)

    def test_limits_end_it(self):
        self.start_recv("bob")
        capture, file = self.start_capture("count.pcapng", "--count", "2", "--events", "received")
        for number in range(4):
            self.send("bob", str(number))
        self.assertEqual(capture.process.wait(PATIENCE_S), 0)
        self.assertEqual([each["body"] for each in self.objects(file)], ["0", "1"])
        capture, file = self.start_capture("time.pcapng", "--for", "200ms")
        self.assertEqual(capture.process.wait(PATIENCE_S), 0)
        capture, file = self.start_capture("size.pcapng", "--max-bytes", "4KiB")
        def ended():
            self.send("bob", "x" * 1000)
            return capture.process.poll() is not None
        await_true(ended, "the end at 4 KiB")
        self.assertEqual(capture.process.returncode, 0)

    def test_a_ring_keeps_the_latest_files_and_together_they_are_one(self):
        self.start_recv("bob")
        capture, _ = self.start_capture("ring.pcapng", "--ring-files", "3", "--file-count", "2",
                                        "--events", "received")
        for number in range(11):
            self.send("bob", str(number))
        ring = lambda: sorted(self.folder.glob("ring_*.pcapng"))
        self.await_objects_in_ring(ring, "10")
        self.assertEqual(capture.stop(), 0)
        files = ring()
        self.assertEqual(len(files), 3)
        self.assertRegex(files[-1].name, r"^ring_00006_\d{8}T\d{6}\.pcapng$")
        bodies = [each["body"] for each in self.objects(*reversed(files))]
        self.assertEqual(bodies, ["6", "7", "8", "9", "10"])

    def await_objects_in_ring(self, ring, body):
        def there():
            done = self.read(*ring()[-1:], "--format", "json")
            return f'"body":"{body}"' in done.stdout
        await_true(there, f"{body} in {ring()}")

    def test_nothing_redacted_reaches_the_disk(self):
        self.start_recv("bob")
        self.start_recv("payroll")
        self.start("zpost-peer", "subscribe", "--as", "sub", "lab/**")
        await_true(lambda: self.run_program("zpost-peer", "who", "sub").returncode == 0, "sub")
        capture, file = self.start_capture(
            "redacted.pcapng", "--redact", "field=user.password", "--redact", "to=pay*",
            "--redact", "topic=lab/*/key")
        bodies = [("bob", json.dumps({"user": [{"password": SECRET, "name": "ann"}]})),
                  ("bob", SECRET + " as text"), ("payroll", SECRET), ("bob", '{"fine": 1}')]
        for to, body in bodies:
            self.assertEqual(self.send(to, body).returncode, 0)
        self.run_program("zpost-peer", "publish", "--as", "alice", "lab/oven/key", SECRET)
        self.await_objects(file, 1, event="received", to="lab/oven/key")
        self.assertEqual(capture.stop(), 0)
        self.assertNotIn(SECRET.encode(), file.read_bytes())
        seen = [each["body"] for each in self.objects(file, "--events", "received")]
        self.assertEqual(seen, ['{"user":[{"password":"[redacted]","name":"ann"}]}', "[redacted]",
                                "[redacted]", '{"fine": 1}', "[redacted]"])

    def test_what_cannot_be_written_is_said(self):
        done = self.run_program("zpost-inspect", "capture", "-w", f"{self.folder}/no/such/file")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("no/such/file: No such file", done.stderr)
        self.start_recv("bob")
        full = self.start("zpost-inspect", "capture", "-w", "/dev/full")
        self.assertEqual(full.process.wait(PATIENCE_S), FAILED)
        full.stop()  # And read to its end.
        full.await_message("cannot write /dev/full: No space left on device; "
                           r"0 records \(0 B\) written before$")
        self.assertEqual(sum("dev/full" in line for line in full.messages
                             if "capturing" not in line), 1, full.messages)
        self.assertFalse([line for line in full.messages if "captured" in line])

    def test_wrong_command_lines_exit_2_and_say_what_is_wrong(self):
        for arguments, complaint in (
                (["capture"], "--write"), (["capture", "-w", "x", "--redact", "fish=x"], "fish"),
                (["capture", "-w", "x", "--redact", "from=a*b"], "a*b"),
                (["capture", "-w", "x", "--redact", "field=.x"], ".x"),
                (["capture", "-w", "x", "--ring-files", "3"], "--file-size"),
                (["capture", "-w", "-", "--file-count", "3"], "standard output"),
                (["capture", "-w", "x", "--format", "text"], "text"), (["read"], "FILE"),
                (["read", "x", "--stats", "-w", "y"], "--stats"),
                (["read", "x", "--file-size", "1MiB"], "-w"),
                (["read", "x", "--events", "name"], "name")):
            done = self.run_program("zpost-inspect", *arguments)
            self.assertEqual(done.returncode, USAGE, arguments)
            self.assertIn(complaint, done.stderr)
        nobody = self.run_program("zpost-inspect", "capture", "-w", f"{self.folder}/x",
                                  endpoint="tcp://127.0.0.1:1")
        self.assertEqual(nobody.returncode, UNREACHABLE)


class ReadTest(CaptureCase):
    def test_it_filters_by_peer_kind_and_event(self):
        file = self.end(*self.exchange())
        self.assertEqual({each["event"] for each in self.objects(file, "--events", "failed")},
                         {"failed"})
        self.assertEqual({each["to"] for each in self.objects(file, "--to", "no*")}, {"nobody"})
        self.assertEqual(self.objects(file, "--from", "bob", "--events", "received"), [])
        kinds = {each["event"] for each in self.objects(file, "--kind", "request")}
        self.assertLessEqual(kinds, {"session", "asked"})
        self.assertEqual([each["body"] for each in self.objects(
            file, "--filter", 'event = received and body = "hello bob"')], ["hello bob"])

    def test_statistics_say_who_what_and_what_became_of_it(self):
        file = self.end(*self.exchange())
        done = self.read(file, "--stats", "--format", "json")
        stats = json.loads(done.stdout)
        self.assertEqual(stats["outcomes"], {"delivered": 2, "no-peer": 1})
        self.assertEqual(stats["kinds"]["send"]["envelopes"], stats["received"])
        self.assertEqual(stats["missed"], 0)
        pair = next(each for each in stats["pairs"] if each["to"] == "bob")
        self.assertEqual((pair["received"], pair["delivered"], pair["failed"]), (2, 2, 0))
        self.assertRegex(self.read(file, "--stats").stdout, r"alice → bob +2 received")

    def test_conversion_and_merging_keep_every_record(self):
        file = self.end(*self.exchange())
        everything = self.objects(file)
        packed = self.folder / "packed.pcapng.zst"
        self.assertEqual(self.read(file, "-w", packed).returncode, 0)
        self.assertEqual(self.objects(packed), everything)
        lines = self.folder / "lines.jsonl"
        self.assertEqual(self.read(packed, "-w", lines).returncode, 0)
        self.assertEqual([json.loads(line) for line in lines.read_text().splitlines()], everything)
        parts = self.folder / "part.pcapng.gz"
        self.assertEqual(self.read(file, "-w", parts, "--file-count", "2").returncode, 0)
        split = sorted(self.folder.glob("part_*.pcapng.gz"))
        self.assertGreater(len(split), 2)
        self.assertEqual(self.objects(*split), everything)

    def test_comments_are_shown_and_stay_with_what_is_made_of_the_file(self):
        file = self.end(*self.exchange("trace.pcapng", "--comment", "before the update"))
        self.assertIn("comment   before the update\n", self.read(file, "--stats").stdout)
        part = self.folder / "part.pcapng"
        self.read(file, "-w", part, "--events", "failed", "--comment", "what failed")
        stats = json.loads(self.read(part, "--stats", "--json").stdout)
        self.assertEqual(stats["comments"], ["before the update", "what failed"])

    def test_a_file_is_split_by_the_times_of_its_records_which_name_the_parts(self):
        lines = self.folder / "old.jsonl"
        record = {"event": "received", "from": "alice", "to": "bob", "kind": "send", "count": 1,
                  "bytes": 40}
        lines.write_text("".join(
            json.dumps(record | {"time": f"2026-01-01T00:00:0{second}.000000000Z",
                                 "sequence": second + 1, "id": str(second + 1)}) + "\n"
            for second in (0, 1, 5)))
        self.read(lines, "-w", self.folder / "old.pcapng", "--file-time", "3s")
        self.assertEqual(sorted(each.name for each in self.folder.glob("old_*")),
                         ["old_00001_20260101T000000.pcapng", "old_00002_20260101T000005.pcapng"])

    def test_a_cut_file_is_read_as_far_as_it_goes_and_repaired(self):
        file = self.end(*self.exchange())
        everything = self.objects(file)
        cut, whole = self.folder / "cut.pcapng", self.folder / "whole.pcapng"
        cut.write_bytes(file.read_bytes()[:-202])  # No block ends there: their sizes are whole fours.
        done = self.read(cut, "--format", "json")
        self.assertEqual(done.returncode, FAILED)
        self.assertRegex(done.stderr, r"cut\.pcapng: byte \d+: it is cut")
        got = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(got, everything[:len(got)])
        self.assertEqual(self.read(cut, "--repair", "-w", whole).returncode, 0)
        self.assertEqual(self.objects(whole), got)

    def test_damage_of_the_compression_is_said(self):
        for name in ("trace.pcapng.gz", "trace.pcapng.zst"):
            capture, file = self.start_capture(name)
            self.send("bob", "hello")
            self.await_objects(file, 1, event="failed")
            self.assertEqual(capture.stop(), 0)
            damaged = bytearray(file.read_bytes())
            damaged[-6:] = b"\xff" * 6  # In the checksum.
            file.write_bytes(damaged)
            done = self.read(file)
            self.assertEqual(done.returncode, FAILED)
            self.assertIn("compressed bytes are damaged", done.stderr)

    def test_damage_in_the_middle_is_passed_over(self):
        file = self.end(*self.exchange())
        everything = self.objects(file)
        damaged = bytearray(file.read_bytes())
        at = damaged.index(b"hello bob")
        start = max(i for i in range(0, at, 4) if damaged[i:i + 4] == struct.pack("<I", 6))
        damaged[start + 4:start + 8] = b"\xff\xff\xff\xff"
        file.write_bytes(damaged)
        self.assertEqual(self.read(file).returncode, FAILED)
        done = self.read(file, "--repair", "--format", "json")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"left out \d+ bytes from byte \d+")
        self.assertEqual(len(done.stdout.splitlines()), len(everything) - 1)

    def test_what_is_no_capture_is_said(self):
        other = self.folder / "other.pcapng"
        for content in (b"", b"this is no capture file", b"\x1f\x8bnot gzip"):
            other.write_bytes(content)
            done = self.read(other)
            self.assertEqual(done.returncode, FAILED, content)
            self.assertIn("other.pcapng: ", done.stderr)
        self.assertEqual(self.read(self.folder / "missing").returncode, FAILED)
        file = self.end(*self.exchange())
        done = self.read(file, "-w", file)
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("written over", done.stderr)


@unittest.skipUnless(TSHARK and CAPINFOS, "no tshark")
class WiresharkTest(CaptureCase):
    def test_captures_open_and_their_fields_filter(self):
        file = self.end(*self.exchange("trace.pcapng", "--comment", "a fine day"))
        self.assertEqual(fields(file, 'zpost.outcome == "no-peer"', "zpost.from", "zpost.to",
                                "zpost.event"), [[["alice"], ["nobody"], ["failed"]]])
        received = fields(file, 'zpost.from == "alice" && zpost.event == "received"',
                          "zpost.kind", "zpost.body", "zpost.id")
        self.assertEqual(len(received), 2)
        self.assertEqual((received[0][0], received[0][1]), (["send"] * 2, ["hello bob"]))
        delivered = fields(file, 'zpost.event == "delivered"', "zpost.id", "zpost.outcome",
                           "zpost.latency")
        self.assertEqual([each[0][0] for each in delivered], [each[2][0] for each in received])
        for each in delivered:
            self.assertEqual(each[1], ["delivered"])
            self.assertGreater(float(each[2][0]), 0)
        self.assertEqual(len(fields(file, "zpost.latency < 30 && zpost.outcome", "zpost.id")), 2)
        sessions = fields(file, 'zpost.change == "joined" && zpost.from == "alice"', "zpost.event")
        self.assertEqual(len(sessions), 3)

    def test_capinfos_tells_comment_time_and_statistics(self):
        file = self.end(*self.exchange("trace.pcapng", "--comment", "a fine day"))
        told = subprocess.run([CAPINFOS, str(file)], capture_output=True, text=True,
                              check=True).stdout
        records = len(tshark(file))
        self.assertRegex(told, rf"Number of packets: +{records}\n")
        self.assertRegex(told, r"nanoseconds")
        self.assertIn("a fine day", told)
        self.assertRegex(told, r"Capture application: +zpost-inspect")
        self.assertRegex(told, r"Number of stat entries = 1")

    def test_many_envelopes_of_a_record_are_all_dissected(self):
        self.start_recv("bob")
        capture, file = self.start_capture("many.pcapng", "--events", "received")
        self.send("bob", "--lines", stdin="".join(f"line {n}\n" for n in range(500)))
        self.await_objects(file, 500, event="received")
        self.assertEqual(capture.stop(), 0)
        bodies = [body for [each] in fields(file, "zpost.body", "zpost.body") for body in each]
        self.assertEqual(bodies, [f"line {n}" for n in range(500)])

    def test_the_wire_is_dissected_from_plain_tcp(self):
        relay = recording_relay(self.endpoint)
        self.addCleanup(relay.close)
        self.start_recv("bob", endpoint=relay.endpoint)
        self.send("bob", "--lines", stdin="".join(f"line {n}\n" for n in range(300)),
                  endpoint=relay.endpoint)
        self.assertEqual(self.send("bob", "-", stdin="x" * 20_000,
                                   endpoint=relay.endpoint).returncode, 0)
        self.assertEqual(self.send("nobody", "hi", endpoint=relay.endpoint).returncode, 3)
        server = self.start("zpost-peer", "serve", "--as", "server", "--", "cat")
        await_true(lambda: self.run_program("zpost-peer", "who", "server").returncode == 0, "server")
        self.run_program("zpost-peer", "request", "--as", "alice", "server", "ping?",
                         endpoint=relay.endpoint)
        self.assertEqual(server.stop(), 0)
        file = self.folder / "wire.pcap"
        # A size at which hardly any frame begins where a packet does.
        TcpFile(file, 997).write(relay.recorded)
        self.check_wire(file)
        shown = "".join(tshark(file, "-V", "-Y", "zpost_zmtp.identity"))
        self.assertIn("Identity: bob", shown)
        self.assertIsNone(re.search("bob~[0-9a-f]{32}", shown), "a token is a secret")

    def check_wire(self, file):
        names = ("zpost_zmtp.mechanism", "tcp.dstport", "zpost.body", "zpost.kind",
                 "zpost.outcome", "zpost.latency")
        columns = [[value for packet in column for value in packet]
                   for column in zip(*fields(file, "zpost_zmtp", *names))]
        mechanisms, _, bodies, kinds, outcomes, latencies = columns
        self.assertEqual(set(mechanisms), {"NULL"})
        self.assertLessEqual({f"line {number}" for number in range(300)} | {"x" * 4096},
                             set(bodies))
        self.assertLessEqual({"hello", "welcome", "send", "ack", "receipt", "request", "reply"},
                             set(kinds))
        self.assertIn("no-peer", outcomes)
        self.assertTrue(latencies, "of the reply")
        self.assertTrue(fields(file, 'zpost.from == "alice" && zpost.to == "nobody"', "zpost.id"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
