#!/usr/bin/python3
"""zpost-inspect replay of the committed captures against real brokers and servers.

ZPOST_BIN names the directory of the programs. In captures/office.pcapng alice and dana had requests
answered by bob (`zpost-peer serve --as bob -- tr a-z A-Z`) and refused by carol (`zpost-peer recv
--as carol`), who was sent something, a call done by a worker of the service count, and published a
temperature. cut.pcapng has a request whose body is cut, and one that is whole.
"""
import json
import os
import pathlib
import pty
import signal
import subprocess
import unittest

from capture_test import CaptureCase
from programs import BIN, PATIENCE_S, await_true, environment

CAPTURES = pathlib.Path(__file__).resolve().parent / "captures"
OFFICE, CUT = CAPTURES / "office.pcapng", CAPTURES / "cut.pcapng"
SAME, DIFFERENT, NOT_DONE = 0, 1, 2
COUNT = 'printf "{\\"letters\\":%s,\\"time\\":%s}" "$(wc -c)" "$(date +%s%N)"'


class ReplayCase(CaptureCase):
    def replay(self, *arguments, **more):
        done = self.run_program("zpost-inspect", "replay", *map(str, arguments), **more)
        done.objects = []
        if "json" in arguments:
            done.objects = [json.loads(line) for line in done.stdout.splitlines()]
        done.summary = next((each for each in done.objects if each["type"] == "summary"), None)
        return done

    def json_replay(self, *arguments):
        return self.replay(*arguments, "--format", "json")

    def await_here(self, name):
        await_true(lambda: self.run_program("zpost-peer", "who", name).returncode == 0, name)

    def serve(self, name, *command, options=()):
        server = self.start("zpost-peer", "serve", "--as", name, *options, "--", *command)
        self.await_here(name)
        return server

    def start_office(self, bob=("tr", "a-z", "A-Z")):
        """All who answered when the capture was made."""
        self.start_recv("carol")
        self.serve("w1", "sh", "-c", COUNT,
                   options=("--service", "count", "--content-type", "application/json"))
        return self.serve("bob", *bob)

    def assert_exit(self, done, code):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)


class SameTest(ReplayCase):
    def test_a_capture_is_a_regression_test_that_the_same_servers_pass(self):
        self.start_office()
        done = self.json_replay(OFFICE, "--speed", "20", "--ignore-field", "body.time")
        self.assert_exit(done, SAME)
        self.assertEqual((done.summary["replayed"], done.summary["different"]), (6, 0))
        self.assertEqual(done.summary["end"], "complete")
        self.assertEqual(sum(done.summary["not_sent"].values()), 1)  # What was refused at once.
        parts = {each["recorded"]: each["part"] for each in done.objects if each["type"] == "peer"}
        self.assertEqual(parts, {"alice": "played", "dana": "played", "bob": "real",
                                 "carol": "real", "@count": "real"})
        for figures in done.summary["latency"].values():
            self.assertGreater(figures["now"]["p50_ns"], 0)

    def test_without_servers_whoever_is_missing_is_stood_in_for(self):
        done = self.json_replay(OFFICE, "--speed", "20", "--stand-in")
        self.assert_exit(done, SAME)
        parts = {each["recorded"]: each["part"] for each in done.objects if each["type"] == "peer"}
        self.assertEqual(parts["alice"], "played")
        for name in ("bob", "carol", "@count", "w1"):
            self.assertEqual(parts[name], "stood in for")

    def test_all_of_it_may_go_as_fast_as_it_is_taken_and_several_times(self):
        done = self.json_replay(OFFICE, "--speed", "max", "--loop", "20", "--stand-in")
        self.assert_exit(done, SAME)
        self.assertEqual(done.summary["replayed"], 120)

    def test_only_requests(self):
        self.start_office()
        done = self.json_replay(OFFICE, "--requests", "--speed", "max", "--ignore-field", "time")
        self.assert_exit(done, SAME)
        self.assertEqual(done.summary["replayed"], 4)

    def test_ranges_limits_and_filters_choose(self):
        self.start_office()
        for arguments, count in ((("--limit", "2"), 2), (("kind = send",), 1),
                                 (("--from", "da*"), 2), (("--to", "bob"), 2),
                                 (("--end", "1ms"), 0), (("--start", "2s"), None)):
            done = self.json_replay(OFFICE, "--speed", "max", "--ignore-field", "time", *arguments)
            if count == 0:
                self.assert_exit(done, NOT_DONE)
                self.assertIn("nothing of the capture can be replayed", done.stderr)
                continue
            self.assert_exit(done, SAME)
            if count is None:
                self.assertIn(done.summary["replayed"], range(1, 6))
            else:
                self.assertEqual(done.summary["replayed"], count, arguments)

    def test_the_text_says_who_is_who_and_how_it_ended(self):
        self.start_office()
        done = self.replay(OFFICE, "--speed", "max", "--ignore-field", "body.time")
        self.assert_exit(done, SAME)
        self.assertRegex(done.stderr, r"(?m)^  alice +played: sends 4 envelopes$")
        self.assertRegex(done.stderr, r"(?m)^  bob +real$")
        self.assertIn("6 envelopes replayed, none different", done.stdout)
        self.assertIn("1 not sent: refused at once", done.stdout)
        self.assertRegex(done.stdout, r"latency of requests, recorded → now: median .* → ")


class OrderTest(ReplayCase):
    def test_what_followed_an_answer_waits_for_it_at_any_speed(self):
        self.start_office(bob=("sh", "-c", "sleep 0.3; tr a-z A-Z"))
        tail = self.start("zpost-inspect", "tail", "--format", "json", "--from", "alice",
                          "--events", "received,answered")
        tail.await_message("^watching")
        self.assert_exit(self.replay(OFFICE, "--speed", "max", "--ignore-field", "time"), SAME)
        tail.await_object(event="received", to="carol")
        seen = [(each["event"], each["to"]) for each in tail.objects()]
        self.assertEqual(seen[:3], [("received", "bob"), ("answered", "bob"), ("received", "carol")])

    def test_a_reply_of_several_parts_is_compared_part_by_part(self):
        server = self.serve("bob", "seq", "3", options=("--stream",))
        capture, file = self.start_capture("stream.pcapng")
        asked = self.run_program("zpost-peer", "request", "--as", "alice", "--stream", "bob", "go")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.await_objects(file, 1, event="answered")
        self.await_objects(file, 2, event="received", **{"from": "bob"})
        self.assertEqual(capture.stop(), 0)
        self.assert_exit(self.replay(file, "--speed", "max"), SAME)
        server.stop()
        self.assert_exit(self.replay(file, "--speed", "max", "--stand-in"), SAME)
        self.serve("bob", "seq", "4", options=("--stream",))
        done = self.json_replay(file, "--speed", "max")
        self.assert_exit(done, DIFFERENT)
        found = next(each for each in done.objects if each["type"] == "difference")
        self.assertIn("replies", [each["what"] for each in found["differences"]])


class DifferentTest(ReplayCase):
    def test_a_changed_server_is_found_and_the_difference_named(self):
        self.start_office(bob=("cat",))
        done = self.json_replay(OFFICE, "--speed", "max", "--ignore-field", "body.time")
        self.assert_exit(done, DIFFERENT)
        found = sorted((each for each in done.objects if each["type"] == "difference"),
                       key=lambda each: each["from"])
        self.assertEqual([(each["from"], each["to"], each["kind"]) for each in found],
                         [("alice", "bob", "request"), ("dana", "bob", "request")])
        self.assertEqual(found[0]["differences"],
                         [{"what": "body", "recorded": '"HELLO"', "now": '"hello"'}])
        text = self.replay(OFFICE, "--speed", "max", "--to", "bob", "--from", "alice").stdout
        self.assertRegex(text, r'alice → bob request #\d+, .* into the recording\n'
                               r' +body +recorded +"HELLO"\n +now +"hello"\n')

    def test_a_field_that_nobody_ignores_differs(self):
        self.start_office()
        done = self.json_replay(OFFICE, "--speed", "max", "--to", "count")
        self.assert_exit(done, DIFFERENT)
        found = next(each for each in done.objects if each["type"] == "difference")
        self.assertEqual([each["what"] for each in found["differences"]], ["body.time"])

    def test_a_server_that_is_not_there_is_said_before_and_is_a_difference(self):
        done = self.replay(OFFICE, "--speed", "max", "--to", "bob")
        self.assert_exit(done, DIFFERENT)
        self.assertRegex(done.stderr, r"(?m)^  bob +absent: 2 envelopes to it will fail$")
        self.assertIn("no-peer", done.stdout)

    def test_a_silent_server_is_given_up_after_the_timeout(self):
        self.serve("bob", "sleep", "60")
        done = self.json_replay(OFFICE, "--speed", "max", "--to", "bob", "--limit", "1",
                                "--timeout", "300ms")
        self.assert_exit(done, DIFFERENT)
        found = next(each for each in done.objects if each["type"] == "difference")
        self.assertRegex(found["differences"][0]["now"], "timed-out|expired")


class NamesTest(ReplayCase):
    def test_senders_play_under_other_names(self):
        self.start_office()
        tail = self.start("zpost-inspect", "tail", "--format", "json", "--to", "bob")
        tail.await_message("^watching")
        done = self.replay(OFFICE, "--speed", "max", "--to", "bob", "--rename", "*=again-*")
        self.assert_exit(done, SAME)
        tail.await_object(event="received", **{"from": "again-alice"})
        tail.await_object(event="received", **{"from": "again-dana"})

    def test_what_a_peer_sent_who_is_here_is_left_to_it(self):
        self.start_office()
        self.start_recv("alice")
        done = self.json_replay(OFFICE, "--speed", "max")
        self.assert_exit(done, SAME)
        self.assertEqual(done.summary["replayed"], 2)
        self.assertEqual(done.summary["not_sent"]["left to its sender, who is at the broker"], 4)
        self.start_recv("dana")
        done = self.replay(OFFICE, "--speed", "max")
        self.assert_exit(done, NOT_DONE)
        self.assertIn("--rename", done.stderr)
        done = self.replay(OFFICE, "--speed", "max", "--rename", "*=again-*",
                           "--ignore-field", "body.time")
        self.assert_exit(done, SAME)

    def test_beside_the_real_ones_everybody_can_be_stood_in_for_under_another_name(self):
        self.start_office(bob=("cat",))
        done = self.json_replay(OFFICE, "--speed", "max", "--stand-in", "--rename", "*=again-*",
                                "--to", "bob")
        self.assert_exit(done, SAME)
        bob = next(each for each in done.objects if each.get("recorded") == "bob")
        self.assertEqual((bob["name"], bob["part"]), ("again-bob", "stood in for"))

    def test_requests_go_to_another_server(self):
        self.serve("bob2", "tr", "a-z", "A-Z")
        done = self.replay(OFFICE, "--speed", "max", "--to", "bob", "--redirect", "bob=bob2")
        self.assert_exit(done, SAME)


class TroubleTest(ReplayCase):
    def test_a_cut_body_is_named_and_not_sent(self):
        self.serve("bob", "tr", "a-z", "A-Z")
        done = self.json_replay(CUT, "--speed", "max")
        self.assert_exit(done, SAME)
        left = [each for each in done.objects if each["type"] == "not-sent"]
        self.assertEqual([(each["from"], each["to"]) for each in left], [("alice", "bob")])
        self.assertIn("only the beginning", left[0]["why"])
        self.assertEqual(done.summary["replayed"], 1)

    def test_a_broker_that_dies_meanwhile_is_told(self):
        self.start_office()
        replay = self.start("zpost-inspect", "replay", str(OFFICE), "--speed", "0.01",
                            "--format", "json")
        replay.await_object(type="peer", recorded="dana")
        self.await_here("dana")
        self.broker.stop(signal.SIGKILL)
        self.assertEqual(replay.process.wait(PATIENCE_S), NOT_DONE)
        replay.await_message("connection lost.*the replay ends here")
        self.assertEqual(replay.await_object(type="summary")["end"], "broker-lost")

    def test_a_signal_ends_it_with_a_report(self):
        self.start_office()
        replay = self.start("zpost-inspect", "replay", str(OFFICE), "--speed", "0.01")
        replay.await_message("^  dana")
        self.await_here("dana")
        self.assertEqual(replay.stop(signal.SIGINT), 130)
        replay.await_line("replayed, none different")
        replay.await_line(r"^\d not sent any more$")

    def test_what_cannot_be_done_exits_2_and_says_why(self):
        no_file = self.replay(self.folder / "none.pcapng")
        self.assert_exit(no_file, NOT_DONE)
        self.assertIn("none.pcapng", no_file.stderr)
        damaged = self.folder / "damaged.pcapng"
        damaged.write_bytes(OFFICE.read_bytes()[:1000])
        done = self.replay(damaged)
        self.assert_exit(done, NOT_DONE)
        self.assertIn("--repair", done.stderr)
        nobody = self.replay(OFFICE, endpoint="tcp://127.0.0.1:1")
        self.assert_exit(nobody, NOT_DONE)
        self.assertIn("nothing listens there", nobody.stderr)
        for arguments, complaint in ((["--speed", "fast"], "fast"), (["--speed", "0"], "above 0"),
                                     (["--rename", "alice"], "OLD=NEW"), (["frm = x"], "frm"),
                                     (["--ignore-field", "body."], "body."), (["--step"], "terminal")):
            done = self.replay(OFFICE, *arguments)
            self.assert_exit(done, NOT_DONE)
            self.assertIn(complaint, done.stderr)


class StepTest(ReplayCase):
    def test_each_key_sends_so_many(self):
        self.start_office()
        ours, theirs = pty.openpty()
        replay = subprocess.Popen(
            [str(BIN / "zpost-inspect"), "replay", str(OFFICE), "--step", "--ignore-field", "time",
             "--format", "json"],
            stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, preexec_fn=lambda: control_terminal(theirs),
            env=environment(self.endpoint))
        os.close(theirs)
        self.addCleanup(os.close, ours)
        self.addCleanup(replay.kill)
        tail = self.start("zpost-inspect", "tail", "--format", "json", "--events", "received")
        tail.await_message("^watching")
        self.await_here("dana")
        os.write(ours, b" ")
        tail.await_object(**{"from": "alice", "to": "bob"})
        os.write(ours, b"s1\nb2\n")  # Not dana's, but alice's two next ones.
        tail.await_object(**{"from": "alice", "to": "carol"})
        tail.await_object(**{"from": "alice", "to": "@count"})
        os.write(ours, b"q")
        out, err = replay.communicate(timeout=PATIENCE_S)
        summary = json.loads(out.splitlines()[-1])
        self.assertEqual(summary["end"], "stopped", err)
        self.assertEqual(summary["unsent"], 2)
        self.assertRegex(err, r"next 1: alice → bob request")
        self.assertFalse([each for each in tail.objects() if each["from"] == "dana"])


def control_terminal(descriptor):
    """In the child: the terminal is that of its session, and it is in the foreground."""
    import fcntl
    import termios
    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


if __name__ == "__main__":
    unittest.main()
