#!/usr/bin/python3
"""zpost-inspect tail as a person and a script use it, against a real broker.

ZPOST_BIN names the directory of the programs.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import msgpack

from programs import (BIN, FAILED, PATIENCE_S, UNREACHABLE, USAGE, await_true, environment,
                      minds)
from raw_peer import META_DEADLINE, Kind, RawPeer
from relay import TO_PEER
from tcp_file import recording_relay


class Program:
    """A running program whose output is collected, line by line."""

    def __init__(self, program, *arguments, endpoint):
        self.process = subprocess.Popen(
            [str(BIN / program), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment(endpoint), text=True, errors="replace")
        self.lines, self.messages = [], []
        self.readers = [self.collect(self.process.stdout, self.lines),
                        self.collect(self.process.stderr, self.messages)]

    @staticmethod
    def collect(stream, lines):
        reader = threading.Thread(target=lambda: lines.extend(iter(stream.readline, "")))
        # extend() of an iterator appends as it goes.
        reader.daemon = True
        reader.start()
        return reader

    def objects(self):
        return [json.loads(line) for line in list(self.lines)]

    def await_message(self, pattern, count=1):
        await_true(lambda: sum(bool(re.search(pattern, line)) for line in list(self.messages)) >= count,
                   lambda: f"{pattern} in {self.messages}")

    def await_line(self, pattern):
        return await_true(
            lambda: next((line for line in list(self.lines) if re.search(pattern, line)), None),
            lambda: f"{pattern} in {self.lines[-20:]}")

    def await_object(self, **wanted):
        def found():
            return next((each for each in self.objects()
                         if all(each.get(key) == value for key, value in wanted.items())), None)
        return await_true(found, lambda: f"{wanted} in {self.lines[-20:]}")

    def stop(self, sig=signal.SIGTERM):
        """Its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            code = self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
        for reader in self.readers:
            reader.join(PATIENCE_S)
        self.process.stdout.close()
        self.process.stderr.close()
        return code


class TailTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.endpoint = "tcp://127.0.0.1:*"
        self.broker = self.start_broker()

    def start_broker(self):
        broker = Program("zpost-broker", "--listen", self.endpoint, "--state",
                         f"{self.folder}/state", endpoint="")
        self.addCleanup(broker.stop, signal.SIGKILL)
        self.endpoint = broker.await_line("^listening on ").split()[2]
        return broker

    def start(self, program, *arguments):
        started = Program(program, *arguments, endpoint=self.endpoint)
        self.addCleanup(started.stop, signal.SIGKILL)
        return started

    def start_tail(self, *arguments):
        tail = self.start("zpost-inspect", "tail", *arguments)
        tail.await_message("^watching")
        return tail

    def run_program(self, program, *arguments, stdin=""):
        return subprocess.run([str(BIN / program), *arguments], input=stdin, capture_output=True,
                              env=environment(self.endpoint), timeout=PATIENCE_S, text=True,
                              errors="surrogateescape", check=False)

    def send(self, *arguments, **more):
        return self.run_program("zpost-peer", "send", "--as", "alice", *arguments, **more)

    def start_recv(self, name, *arguments):
        receiver = self.start("zpost-peer", "recv", "--as", name, *arguments)
        await_true(lambda: self.run_program("zpost-peer", "who", name).returncode == 0, name)
        # The broker knows it a moment before.
        await_true(lambda: minds(receiver.process, signal.SIGTERM), f"{name} minds signals")
        return receiver

    def await_offer(self, service, worker):
        await_true(lambda: worker in self.run_program("zpost-inspect", "route", "--service",
                                                      service).stdout, worker)

    def test_an_envelope_is_seen_received_forwarded_and_delivered(self):
        self.start_recv("bob")
        tail = self.start_tail("--format", "json", "--from", "alice")
        self.assertEqual(self.send("bob", "hello bob").returncode, 0)
        received = tail.await_object(event="received", to="bob")
        self.assertEqual((received["kind"], received["body"]), ("send", "hello bob"))
        for event in ("forwarded", "delivered"):
            seen = tail.await_object(event=event, to="bob")
            self.assertEqual((seen["id"], seen["kind"]), (received["id"], "send"))
        self.assertEqual(tail.stop(), 0)

    def test_a_filter_looks_into_bodies_and_names(self):
        self.start_recv("bob")
        tail = self.start_tail("--format", "json", "--snap", "20",
                               'body.temp > 30 and from = "lab-*" and not kind = request')
        for sender, temp in (("lab-1", 20), ("alice", 40), ("lab-2", 31), ("lab-3", 45)):
            body = '{"note": "much longer than what is shown of it", "temp": %d}' % temp
            self.assertEqual(self.run_program(
                "zpost-peer", "send", "--as", sender, "bob", body).returncode, 0)
        tail.await_object(**{"from": "lab-3"})
        self.assertEqual([(each["from"], each["event"]) for each in tail.objects()],
                         [("lab-2", "received"), ("lab-3", "received")])

    def test_a_filter_asks_for_the_latency(self):
        self.start_recv("bob")
        tail = self.start_tail("--format", "json", "event = delivered and latency > 1ns")
        self.start_tail("latency > 1h")
        self.assertEqual(self.send("bob", "hello bob").returncode, 0)
        self.assertEqual(tail.await_object(event="delivered")["to"], "bob")
        self.assertEqual(len(tail.objects()), 1)

    def test_a_filter_names_a_service_as_people_do(self):
        worker = self.start("zpost-peer", "serve", "--as", "srv", "--service", "upper", "--", "cat")
        self.await_offer("upper", "srv")
        bare = self.start_tail("--format", "json", "service = upper")
        marked = self.start_tail("--format", "json", "to = @upper")
        self.assertEqual(self.run_program("zpost-peer", "request", "--as", "alice", "--service",
                                          "upper", "hello").returncode, 0)
        for tail in (bare, marked):
            self.assertEqual(tail.await_object(event="received")["to"], "@upper")
        self.assertEqual(worker.stop(), 0)

    def test_an_inspector_that_ends_leaves_no_failures_behind(self):
        self.start_recv("bob")
        watcher = self.start_tail("--format", "json", "--events", "failed")
        with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as endless:
            self.addCleanup(endless.kill)
            sender = subprocess.Popen(
                [str(BIN / "zpost-peer"), "send", "--as", "alice", "--lines", "bob"],
                stdin=endless.stdout, env=environment(self.endpoint), stdout=subprocess.DEVNULL)
            for _ in range(5):
                self.assertEqual(self.run_program(
                    "zpost-inspect", "tail", "--count", "3", "--from", "alice").returncode, 0)
            endless.kill()
            endless.stdout.close()
        self.assertEqual(sender.wait(PATIENCE_S), 0)
        self.assertEqual(self.run_program("zpost-peer", "send", "nobody", "hello?").returncode, 3)
        watcher.await_object(outcome="no-peer")
        self.assertEqual([each["outcome"] for each in watcher.objects()], ["no-peer"])

    def test_questions_to_the_broker_are_left_out_unless_asked_for(self):
        self.start_recv("bob")
        usual = self.start_tail("--json")
        everything = self.start_tail("--json", "--asked")
        by_filter = self.start_tail("--json", "event in (asked, session)")
        self.run_program("zpost-peer", "who")
        self.send("bob", "hello")
        everything.await_object(event="asked", op="who")
        by_filter.await_object(event="asked", op="who")
        usual.await_object(event="delivered")
        self.assertNotIn("asked", {each["event"] for each in usual.objects()})

    def test_a_wrong_filter_is_shown_with_its_place(self):
        tail = self.run_program("zpost-inspect", "tail", "size > 4KiB and frm = alice")
        self.assertEqual(tail.returncode, USAGE)
        self.assertEqual(tail.stderr.splitlines()[:3], [
            'zpost-inspect: the filter is wrong at column 17: there is no field "frm"; '
            'did you mean from?',
            "  size > 4KiB and frm = alice",
            "                  ^"])

    def test_the_broker_refuses_a_wrong_filter_in_words(self):
        eve = RawPeer(self.endpoint, "eve")
        eve.join()
        eve.send("", msgpack.packb({"op": "tap", "filter": "kind = sned"}), kind=Kind.REQUEST)
        self.assertEqual(eve.expect(Kind.REPLY).body.decode(),
                         'filter: column 8: kind is never "sned"; did you mean send?')

    def test_bodies_are_shown_as_they_are_decoded(self):
        self.start_recv("bob")
        tree = self.start_tail("--tree", "event = received")
        hexed = self.start_tail("--decode", "hex", "event = received")
        own = self.start_tail("--decoder", "text/x-lab=tr a-z A-Z", "event = received")
        sent = self.run_program("zpost-peer", "send", "--as", "lab", "--content-type", "text/x-lab",
                                "bob", '{"a": 1}')
        self.assertEqual(sent.returncode, 0, sent.stderr)
        hexed.await_line(r"#\d+ 8 B: 7b 22 61 22 3a 20 31 7d$")
        own.await_line(r'#\d+ \{"A": 1\}$')
        tree.await_line(r'^ {15}\{"a": 1\}$')
        self.assertEqual(self.send("bob", '{"a": [1, "x"]}').returncode, 0)
        tree.await_line(r'^ {15}  \[1\]: "x"$')

    def test_chosen_fields_are_columns_or_objects(self):
        self.start_recv("bob")
        columns = self.start_tail("--events", "received", "--fields", "from,to,body.temp,time")
        objects = self.start_tail("--events", "received", "--fields", "from,body.temp", "--json")
        shaped = self.start_tail("--events", "delivered", "--format",
                                 "{from} -> {to}: {outcome} after {latency}\\n")
        self.assertEqual(self.send("bob", '{"temp": 31.5, "note": "a\\tb"}').returncode, 0)
        columns.await_line(r"^alice\tbob\t31\.5\t\d{4}-\d\d-\d\dT[\d:.]+Z$")
        self.assertEqual(columns.lines[0], "from\tto\tbody.temp\ttime\n")
        self.assertEqual(objects.await_object(**{"from": "alice"}),
                         {"from": "alice", "body.temp": 31.5})
        shaped.await_line(r"^alice -> bob: delivered after [\d.]+ [µm]?s$")

    def test_a_field_that_is_none_is_told_with_its_place_and_what_exists(self):
        for option, value, column in (("--fields", "time,frm", 6), ("--format", "to {frm}", 5)):
            wrong = self.run_program("zpost-inspect", "tail", option, value)
            self.assertEqual(wrong.returncode, USAGE)
            self.assertIn(f'column {column}: there is no field "frm"; did you mean from?',
                          wrong.stderr)
            self.assertIn("content_type", wrong.stderr)
        for arguments in (("--fields", "from", "--format", "{to}"), ("--pair", "--fields", "to"),
                          ("--pair", "--events", "failed"), ("--format", "yaml")):
            self.assertEqual(self.run_program("zpost-inspect", "tail", *arguments).returncode, USAGE)

    def test_requests_are_shown_with_their_replies(self):
        self.start("zpost-peer", "serve", "--as", "echo", "--", "cat")
        self.start("zpost-peer", "serve", "--as", "srv", "--service", "up", "--", "tr", "a-z", "A-Z")
        self.start_recv("mute")
        await_true(lambda: self.run_program("zpost-peer", "who", "echo").returncode == 0, "echo")
        self.await_offer("up", "srv")
        text = self.start_tail("--pair")
        objects = self.start_tail("--pair", "--json", "--from", "alice")
        slow = self.start_tail("--pair", "latency > 1h")
        ask = lambda *arguments: self.run_program("zpost-peer", "request", "--as", "alice",
                                                  *arguments)
        self.assertEqual(ask("echo", "ping").returncode, 0)
        self.assertEqual(ask("--service", "up", "hello").returncode, 0)
        ask("nobody", "x")
        span = r"[\d.]+ [µm]?s"
        text.await_line(rf'{span} +alice → echo +request #\d+ "ping" ⇒ "ping"$')
        text.await_line(rf'{span} +alice → @up \(srv\) +call +#\d+ "hello" ⇒ "HELLO"$')
        text.await_line(r"alice → nobody +request #\d+ ⇒ no-peer: nobody named nobody is here$")
        echoed = objects.await_object(to="echo", end="replied")
        self.assertGreater(echoed["round_trip_ns"], 0)
        self.assertEqual((echoed["asked"]["body"], echoed["answered"]["body"]), ("ping", "ping"))
        self.assertEqual(echoed["outcome"], "delivered")
        self.assertEqual(objects.await_object(to="nobody", end="failed")["outcome"], "no-peer")
        self.assertEqual(slow.lines, [])

    def test_with_pair_a_filter_judges_request_reply_and_outcome_together(self):
        self.start("zpost-peer", "serve", "--as", "srv", "--", "sh", "-c",
                   "read ask; echo \"no: $ask\"; exit 1")
        self.start("zpost-peer", "serve", "--as", "echo", "--", "cat")
        for name in ("srv", "echo"):
            await_true(lambda: self.run_program("zpost-peer", "who", name).returncode == 0, name)
        rejected = self.start_tail("--pair", "outcome = rejected")
        headers = self.start_tail("--pair", "--headers", "outcome = rejected and to = srv")
        answered = self.start_tail("--pair", "outcome = delivered and latency < 1h")
        both = self.start_tail("--pair", "--json", "--snap", "8",
                               'body ~ "far beyond" and rejected and kind = request')
        ask = lambda to, body: self.run_program("zpost-peer", "request", "--as", "alice", to, body)
        self.assertEqual(ask("echo", "far beyond").returncode, 0)
        ask("srv", "what lies far beyond")
        rejected.await_line(r"alice → srv +request #\d+ .*what lies")
        headers.await_line(r"alice → srv +request #\d+ ⇒ #\d+$")
        answered.await_line(r'alice → echo +request #\d+ "far beyond" ⇒ "far beyond"$')
        exchange = both.await_object(to="srv")
        self.assertEqual(exchange["asked"]["body"], "what lie")
        self.assertEqual((exchange["end"], exchange["outcome"]), ("replied", "rejected"))
        for tail in (rejected, headers, answered, both):
            self.assertEqual(len(tail.lines), 1, tail.lines)

    def test_a_request_whose_deadline_passes_is_shown_so(self):
        server = self.start("zpost-peer", "serve", "--as", "slow", "--", "sleep", "3")
        await_true(lambda: self.run_program("zpost-peer", "who", "slow").returncode == 0, "slow")
        tail = self.start_tail("--pair")
        # Not by zpost-peer: it cancels at the same moment, which a busy broker may read first.
        alice = RawPeer(self.endpoint, "alice")
        self.addCleanup(alice.disconnect)
        alice.join()
        alice.send("slow", "?", kind=Kind.REQUEST,
                   meta={META_DEADLINE: alice.welcome["time"] + 1_000_000_000})
        tail.await_line(r'alice → slow +request #\d+ "\?" ⇒ expired')
        server.stop(signal.SIGKILL)

    def test_text_has_one_row_for_each_with_the_body_made_harmless(self):
        self.start_recv("bob")
        tail = self.start_tail()
        self.send("bob", "red\x1b[31m\nalert")
        row = tail.await_line("received")
        self.assertRegex(row, r"^\d\d:\d\d:\d\d\.\d{3} received  alice → bob +send +\d+ B +#\d+ "
                              r'"red\\e\[31m\\nalert"$')
        tail.await_line("delivered +alice → bob")
        self.assertNotIn("\x1b", "".join(tail.lines))

    def test_a_failure_says_why(self):
        tail = self.start_tail("--format", "json", "--events", "failed")
        text = self.start_tail("--events", "failed")
        self.send("nobody", "hello?")
        self.assertEqual(tail.await_object(event="failed")["outcome"], "no-peer")
        text.await_line("failed .*no-peer: nobody named nobody is here")
        self.assertEqual({each["event"] for each in tail.objects()}, {"failed"})

    def test_sessions_come_and_go(self):
        tail = self.start_tail("--format", "json", "--events", "session")
        receiver = self.start_recv("bob")
        tail.await_object(event="session", peer="bob", change="joined")
        receiver.stop()
        tail.await_object(event="session", peer="bob", change="over")

    def test_patterns_and_kinds_choose(self):
        self.start_recv("bob")
        self.start_recv("bert")
        self.start_recv("carol")
        tail = self.start_tail("--format", "json", "--to", "b*", "--kind", "send")
        for name in ("carol", "bert", "bob"):
            self.assertEqual(self.send(name, f"hello {name}").returncode, 0)
            self.assertEqual(self.run_program("zpost-peer", "request", name, "?").returncode, 3)
        tail.await_object(event="delivered", to="bob")
        seen = [each for each in tail.objects() if each["event"] != "session"]
        self.assertEqual({each["to"] for each in seen}, {"bob", "bert"})
        self.assertEqual({each["kind"] for each in seen}, {"send"})

    def test_bodies_are_shown_by_what_they_are(self):
        self.start_recv("bob", "--raw")
        tail = self.start_tail("--events", "received")
        self.send("bob", "--content-type", "application/json", "-", stdin='{ "a" : 1 }')
        tail.await_line(r'\{"a":1\}$')
        for content, shown in ((b"\x81\xa1n\x05", r'\{"n":5\}$'), (b"\xff\xfe\x00", "3 B: ff fe 00$")):
            self.send("bob", "-", stdin=content.decode(errors="surrogateescape"))
            tail.await_line(shown)

    def test_neighbours_are_unfolded_or_counted(self):
        self.start_recv("bob", "--raw")
        headers = self.start_tail("--format", "json", "--headers", "--events", "received")
        bodies = self.start_tail("--format", "json", "--snap", "16KiB", "--events", "received")
        lines = [f"line {i}" for i in range(100)]
        self.send("--lines", "bob", stdin="".join(line + "\n" for line in lines))
        await_true(lambda: sum(each["count"] for each in headers.objects()) == 100, "100 counted")
        await_true(lambda: sum(each["count"] for each in bodies.objects()) == 100, "100 shown")
        self.assertEqual([each["body"] for each in bodies.objects()], lines)
        self.assertTrue(all("body" not in each for each in headers.objects()))
        self.assertLess(len(headers.lines), 100)

    def test_a_long_body_is_cut_and_keeps_its_size(self):
        self.start_recv("bob", "--raw")
        tail = self.start_tail("--format", "json", "--snap", "200", "--events", "received")
        self.send("bob", "x" * 5000)
        seen = tail.await_object(event="received")
        self.assertTrue(seen["body_cut"])
        self.assertGreater(seen["bytes"], 5000)
        self.assertRegex(seen["body"], "^x{50,200}$")

    def test_a_slow_reader_is_told_what_it_missed(self):
        self.start_recv("bob", "--raw")
        # Without --each a run shows one body in many, and all might have room.
        tail = self.start_tail("--format", "json", "--snap", "16KiB", "--each")
        tail.process.send_signal(signal.SIGSTOP)
        lines = "".join(f"{i:08191}\n" for i in range(8_000))
        self.assertEqual(self.send("--lines", "--timeout", "60s", "bob", stdin=lines).returncode, 0)
        tail.process.send_signal(signal.SIGCONT)
        missed = tail.await_object(event="missed")
        self.assertGreater(missed["missed"], 0)

    def test_count_ends_it(self):
        self.start_recv("bob")
        tail = self.start_tail("--count", "2", "--events", "received")
        for text in ("one", "two", "three"):
            self.send("bob", text)
        self.assertEqual(tail.process.wait(PATIENCE_S), 0)
        tail.stop()
        self.assertEqual(len(tail.lines), 2)

    def test_it_survives_a_restart_of_the_broker(self):
        tail = self.start_tail("--format", "json", "--events", "received")
        self.broker.stop()
        tail.await_message("connection lost|shutting down")
        self.broker = self.start_broker()
        tail.await_message("connected again")
        self.start_recv("bob")

        def seen_again():
            self.send("bob", "after")
            return any(each.get("body") == "after" for each in tail.objects())
        await_true(seen_again, "traffic after the restart")
        self.assertEqual(tail.stop(signal.SIGINT), 0)

    def test_it_ends_when_nobody_reads_its_output(self):
        self.start_recv("bob")
        reading, writing = os.pipe()
        tail = subprocess.Popen([str(BIN / "zpost-inspect"), "tail"], stdout=writing,
                                stderr=subprocess.DEVNULL, env=environment(self.endpoint))
        self.addCleanup(tail.kill)
        os.close(writing)
        os.close(reading)

        def ended():
            self.send("bob", "hello")
            return tail.poll() is not None
        await_true(ended, "the end")
        self.assertEqual(tail.returncode, 0)

    def test_nothing_else_takes_the_place_of_a_closed_standard_output(self):
        tail = subprocess.Popen(
            ["sh", "-c", 'exec "$@" <&- >&-', "sh", str(BIN / "zpost-inspect"), "tail", "--as", "eye"],
            stderr=subprocess.PIPE, env=environment(self.endpoint))
        self.addCleanup(tail.kill)

        def ended():
            self.send("nobody", "hello")
            return tail.poll() is not None
        await_true(ended, "the end")
        self.assertIn(b"cannot write to standard output", tail.communicate()[1])
        self.assertEqual(tail.returncode, FAILED)

    def test_wrong_command_lines_exit_2_and_say_what_is_wrong(self):
        for arguments, complaint in ((["--kind", "dance"], "dance"), (["--events", "name"], "name"),
                                     (["--from", "a*b"], "a*b"), (["--snap", "big"], "big"),
                                     (["--count", "0"], "0"), (["--nonsense"], "--nonsense")):
            done = self.run_program("zpost-inspect", "tail", *arguments)
            self.assertEqual(done.returncode, USAGE, arguments)
            self.assertIn(complaint, done.stderr)
        done = self.run_program("zpost-inspect", "tial")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("there is no verb tial", done.stderr)
        help_text = self.run_program("zpost-inspect", "tail", "--help")
        self.assertEqual(help_text.returncode, 0)
        self.assertIn("Examples:", help_text.stdout)

    def test_two_signals_at_once_are_one(self):
        """As timeout(1) sends them: to its child, and to its group."""
        others = self.start_tail("--format", "json", "--events", "session")
        tail = self.start_tail("--format", "json", "--as", "watcher")
        others.await_object(peer="watcher", change="joined")
        # Stopped, so that both are there before it can do anything about the first.
        for sig in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            tail.process.send_signal(sig)
        self.assertEqual(tail.process.wait(PATIENCE_S), 0)
        left = await_true(lambda: [each for each in others.objects()
                                   if each.get("peer") == "watcher" and each["change"] != "joined"],
                          "the end of its session")
        self.assertEqual([(each["change"], each.get("reason")) for each in left], [("over", None)])

    def test_a_broker_that_is_not_there_is_said_within_two_seconds(self):
        def seconds():
            before = time.monotonic()
            done = self.run_program("zpost-inspect", "tail", "--endpoint", "tcp://127.0.0.1:1")
            took = time.monotonic() - before
            self.assertEqual(done.returncode, UNREACHABLE)
            self.assertIn("tcp://127.0.0.1:1", done.stderr)
            self.assertIn("zpost-broker", done.stderr)
            return took
        # Its own start included, which may take a busy machine a moment.
        self.assertTrue(any(seconds() < 3 for _ in range(3)))

    def test_events_are_chosen_by_the_broker(self):
        self.start_recv("bob")
        relay = recording_relay(self.endpoint)
        self.addCleanup(relay.close)

        def start_relayed(*arguments):
            tail = Program("zpost-inspect", "tail", "--json", *arguments, endpoint=relay.endpoint)
            self.addCleanup(tail.stop, signal.SIGKILL)
            tail.await_message("^watching")
            return tail
        sessions = start_relayed("--events", "session")
        delivered = start_relayed("--events", "delivered", "--each", "from = alice")
        self.assertEqual(self.send("bob", "for bob's eyes only").returncode, 0)
        taken = delivered.await_object(event="delivered", to="bob")
        # What takes more than its record to tell is told all the same.
        self.assertEqual(taken["kind"], "send")
        self.assertGreater(taken["latency_ns"], 0)
        sessions.await_object(peer="alice", change="over")  # All before that has come by now.
        carried = b"".join(data for _, _, direction, data in list(relay.recorded)
                           if direction == TO_PEER)
        self.assertNotIn(b"eyes only", carried)
        self.assertEqual([each["event"] for each in delivered.objects()], ["delivered"])

    def test_an_endpoint_with_a_bad_port_is_a_usage_error(self):
        for verb in ("tail", "graph", "doctor"):
            done = self.run_program("zpost-inspect", verb, "--endpoint", "tcp://127.0.0.1:99999")
            self.assertEqual(done.returncode, USAGE, done)
            self.assertIn('port "99999" is none of 1 to 65535', done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
