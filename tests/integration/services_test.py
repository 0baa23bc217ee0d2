#!/usr/bin/python3
"""Services and presence from the shell: serve --service, request --service, streams, who --watch.

ZPOST_BIN names the directory of the programs.
"""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from programs import NOT_DELIVERED, TIMED_OUT, USAGE, ProgramTest, await_true, lines_of, stop


class ServiceTest(ProgramTest):
    def serve(self, service, name, *arguments):
        """Starts a worker, and waits until the broker has its offer."""
        options = arguments[:arguments.index("--")]
        command = arguments[arguments.index("--"):]
        serving = self.start_peer("serve", "--as", name, "--service", service, *options, *command)
        await_true(lambda: service in self.offers(name), f"{name} offers {service}")
        return serving

    def offers(self, name):
        listed = lines_of(self.run_peer("who", "--format", "json", name).out)
        return listed[0]["offers"] if listed else []

    def call(self, service, *arguments, **more):
        return self.run_peer("request", "--service", service, *arguments, **more)

    def start_call(self, service, *arguments):
        return self.start_peer("request", "--service", service, *arguments)

    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def test_wrong_command_lines_exit_2_and_say_what_is_wrong(self):
        for arguments, word in (
                (("request", "--service", "a b", "x"), "a b"),
                (("request", "--service", "a", "x", "y"), "BODY"),
                (("request", "--idempotent", "bob", "x"), "--idempotent"),
                (("request",), "TO"),
                (("serve", "--service", "a/b", "--", "cat"), "a/b"),
                (("serve", "--service", "s"), "COMMAND")):
            with self.subTest(arguments=arguments):
                done = self.run_peer(*arguments)
                self.assert_exit(done, USAGE)
                self.assertIn(word, done.err)

    def test_a_call_is_answered_by_whoever_offers_the_service(self):
        self.serve("upper", "w1", "--", "tr", "a-z", "A-Z")
        done = self.call("upper", "is anybody there?")
        self.assertEqual((done.returncode, done.out), (0, b"IS ANYBODY THERE?\n"), done.err)
        done = self.call("upper", "-", stdin=b"from stdin")
        self.assertEqual((done.returncode, done.out), (0, b"FROM STDIN\n"))

    def test_a_service_that_nobody_offers_is_named(self):
        done = self.call("nobody-does", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("nobody-does", done.err)
        self.assertIn("no-worker", done.err)

    def test_calls_are_shared_by_the_workers(self):
        # Each command waits until all four run: two at each worker.
        pipe = self.folder() / "pipe"
        command = ("sh", "-c", f"echo >> {pipe}; while [ $(wc -l < {pipe}) -lt 4 ]; do sleep 0.02; done;"
                               " echo $WORKER")
        for name in ("s1", "s2"):
            self.serve("shared", name, "--concurrency", "2", "--", "env", f"WORKER={name}", *command)
        calls = [self.start_call("shared", "x") for _ in range(4)]
        results = [self.result(call) for call in calls]
        self.assertEqual([code for code, _, _ in results], [0] * 4, results)
        self.assertEqual(sorted(out for _, out, _ in results), [b"s1\n", b"s1\n", b"s2\n", b"s2\n"])

    def test_the_command_finds_service_and_attempt_in_its_environment(self):
        self.serve("env", "w2", "--", "sh", "-c", 'echo "$ZPOST_SERVICE $ZPOST_ATTEMPT $ZPOST_FROM"')
        done = self.call("env", "--as", "asker", "x")
        self.assertEqual(done.out, b"env 1 asker\n", done.err)

    def kill_the_first_worker(self, service, *options):
        """Calls a worker, kills it once its command runs, and gives the call and what it printed."""
        log = self.folder() / "log"
        command = ("sh", "-c", f'echo $ZPOST_ATTEMPT >> {log}; [ $ZPOST_ATTEMPT = 2 ] && exec echo done;'
                               ' exec sleep 20')
        first = self.serve(service, f"{service}-1", "--", *command)
        call = self.start_call(service, *options, "x")
        await_true(log.exists, "the command runs")
        self.serve(service, f"{service}-2", "--", *command)
        first.send_signal(signal.SIGKILL)
        return self.result(call)

    def test_a_call_whose_worker_dies_is_lost(self):
        self.broker.stop()
        self.broker.start("--resume", "300ms")
        code, _, err = self.kill_the_first_worker("fragile")
        self.assertEqual(code, NOT_DELIVERED, err)
        self.assertIn("lost", err)

    def test_an_idempotent_call_whose_worker_dies_is_done_by_another(self):
        self.broker.stop()
        self.broker.start("--resume", "300ms")
        code, out, err = self.kill_the_first_worker("sturdy", "--idempotent")
        self.assertEqual((code, out), (0, b"done\n"), err)

    def test_a_worker_that_is_told_to_stop_finishes_what_it_has(self):
        folder = self.folder()
        go, runs = folder / "go", folder / "runs"
        serving = self.serve("parting", "p1", "--", "sh", "-c",
                             f"touch {runs}; until [ -e {go} ]; do sleep 0.02; done; echo done")
        call = self.start_call("parting", "x")
        await_true(runs.exists, "the command runs")
        serving.send_signal(signal.SIGTERM)
        await_true(lambda: "parting" not in self.offers("p1"), "the offer is withdrawn")
        self.assertEqual(self.call("parting", "y").returncode, NOT_DELIVERED)
        go.touch()
        code, out, err = self.result(call)
        self.assertEqual((code, out), (0, b"done\n"), err)
        self.assertEqual(stop(serving), 0)


class StreamTest(ProgramTest):
    def serve(self, name, *command):
        return self.start_peer("serve", "--as", name, "--stream", "--", *command)

    def test_each_line_is_a_reply_as_it_comes(self):
        with tempfile.TemporaryDirectory() as folder:
            go = pathlib.Path(folder) / "go"
            self.serve("count", "sh", "-c",
                       f"echo one; until [ -e {go} ]; do sleep 0.02; done; echo two; printf three")
            asking = self.start_peer("request", "--stream", "count", "x")
            self.assertEqual(asking.stdout.readline(), b"one\n")
            go.touch()
            code, out, err = self.result(asking)
        self.assertEqual((code, out), (0, b"two\nthree\n"), err)

    def test_a_long_stream_is_whole_and_in_order(self):
        self.serve("seq", "seq", "20000")
        done = self.run_peer("request", "--stream", "seq", "x")
        self.assertEqual(done.returncode, 0, done.err)
        self.assertEqual(done.out.split(), [b"%d" % i for i in range(1, 20_001)])

    def test_json_marks_all_but_the_last(self):
        self.serve("json", "printf", "a\\nb\\n")
        done = self.run_peer("request", "--stream", "--format", "json", "json", "x")
        replies = lines_of(done.out)
        self.assertEqual([reply.get("more", False) for reply in replies], [True, True, False])
        self.assertEqual([reply["body"] for reply in replies], ["a", "b", ""])

    def test_a_command_that_fails_says_so_after_its_lines(self):
        self.serve("half", "sh", "-c", "echo one; echo sorry >&2; exit 4")
        done = self.run_peer("request", "--stream", "half", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertEqual(done.out, b"one\n")
        self.assertIn("sorry", done.err)

    def test_who_asked_for_one_reply_gets_the_first(self):
        self.serve("many", "printf", "a\\nb\\n")
        done = self.run_peer("request", "many", "x")
        self.assertEqual((done.returncode, done.out), (0, b"a\n"), done.err)

    def test_who_asked_for_one_reply_is_told_that_there_were_more(self):
        self.serve("more", "printf", "a\\nb\\n")
        done = self.run_peer("request", "more", "x")
        self.assertEqual((done.returncode, done.out), (0, b"a\n"), done.err)
        self.assertIn("more offered more replies than this one; --stream prints them all", done.err)
        done = self.run_peer("request", "--format", "json", "more", "x")
        reply, = lines_of(done.out)
        self.assertEqual((reply["body"], reply["more"]), ("a", True))

    def test_a_single_reply_is_no_cause_for_a_word(self):
        self.start_peer("serve", "--as", "single", "--", "cat")
        done = self.run_peer("request", "single", "x")
        self.assertEqual((done.returncode, done.out, done.err), (0, b"x\n", ""))

    def test_the_rest_of_a_stream_that_nobody_wants_is_not_made(self):
        with tempfile.TemporaryDirectory() as folder:
            alive = pathlib.Path(folder) / "pid"
            self.serve("endless", "sh", "-c",
                       f"echo $$ > {alive}.new; mv {alive}.new {alive}; echo a; exec sleep 60")
            done = self.run_peer("request", "endless", "x")
            self.assertEqual((done.returncode, done.out), (0, b"a\n"), done.err)
            pid = alive.read_text().strip()
            await_true(lambda: not pathlib.Path("/proc", pid).exists(), "the command was stopped")

    def test_ctrl_c_cancels_the_request_and_stops_its_command(self):
        with tempfile.TemporaryDirectory() as folder:
            alive = pathlib.Path(folder) / "pid"
            serving = self.start_peer("serve", "--as", "patient", "--", "sh", "-c",
                                      f"echo $$ > {alive}.new; mv {alive}.new {alive}; exec sleep 60")
            asking = self.start_peer("request", "--timeout", "60s", "patient", "x")
            await_true(alive.exists, "the command runs")
            asking.send_signal(signal.SIGINT)
            code, _, err = self.result(asking)
            self.assertEqual(code, 128 + signal.SIGINT, err)
            self.assertIn("patient", err)
            pid = alive.read_text().strip()
            await_true(lambda: not pathlib.Path("/proc", pid).exists(), "the command was stopped")
        self.assertEqual(stop(serving), 0)


class WatchTest(ProgramTest):
    def test_who_watch_tells_who_comes_and_goes_and_why(self):
        self.start_peer("recv", "--as", "w-alice")
        watching = self.start_peer("who", "--watch", "w-*", "--as", "watcher", "--format", "json")
        # It is here before it watches: what it says of others tells that it does.
        self.assertEqual(json.loads(watching.stdout.readline())["name"], "w-alice")
        bob = self.start_peer("recv", "--as", "w-bob")
        joined = json.loads(watching.stdout.readline())
        self.assertEqual((joined["event"], joined["name"]), ("joined", "w-bob"))
        stop(bob)
        left = json.loads(watching.stdout.readline())
        self.assertEqual((left["event"], left["name"], left["reason"]), ("left", "w-bob", "goodbye"))
        self.assertEqual(left["instance"], joined["instance"])
        self.assertEqual(stop(watching, signal.SIGINT), 0)

    def test_who_watch_begins_with_those_who_are_here(self):
        self.start_peer("recv", "--as", "h-here")
        watching = self.start_peer("who", "--watch", "h-*", "--as", "watcher2")
        self.assertRegex(watching.stdout.readline().decode(), r"^\d\d:\d\d:\d\d h-here is here\n$")
        self.start_peer("recv", "--as", "h-there")
        self.assertRegex(watching.stdout.readline().decode(), r"^\d\d:\d\d:\d\d h-there joined\n$")

    def test_what_a_watch_cannot_do_is_said(self):
        for option in (("--long",), ("--timeout", "1s")):
            with self.subTest(option=option):
                done = self.run_peer("who", "--watch", *option)
                self.assert_exit(done, USAGE)
                self.assertIn(f"{option[0]} is for the list", done.err)

    def test_a_pipe_that_nobody_reads_ends_the_watch(self):
        watching = self.start_peer("who", "--watch", "p-*", "--as", "watcher3", stderr=subprocess.DEVNULL)
        watching.stdout.close()
        self.start_peer("recv", "--as", "p-one")
        self.assertEqual(watching.wait(10), 0)


class RetainedTest(ProgramTest):
    def test_subscribe_retained_prints_what_is_kept_and_ends(self):
        for topic, value in (("kept/a", "1"), ("kept/b", "2"), ("other/c", "3")):
            self.assert_exit(self.run_peer("publish", "--retain", topic, value), 0)
        done = self.run_peer("subscribe", "--retained", "kept/**", "--raw")
        self.assertEqual((done.returncode, done.out), (0, b"1\n2\n"), done.err)
        done = self.run_peer("subscribe", "--retained", "kept/a", "other/*", "--format", "json")
        self.assertEqual([(line["topic"], line["retained"]) for line in lines_of(done.out)],
                         [("kept/a", True), ("other/c", True)])

    def test_a_value_that_several_patterns_match_is_printed_once(self):
        for topic in ("twice/a", "twice/b"):
            self.assert_exit(self.run_peer("publish", "--retain", topic, topic), 0)
        patterns = ("twice/*", "twice/a", "twice/**", "twice/a")
        done = self.run_peer("subscribe", "--retained", *patterns, "--raw")
        self.assertEqual((done.returncode, sorted(done.out.split())), (0, [b"twice/a", b"twice/b"]), done.err)
        done = self.run_peer("subscribe", *patterns, "--raw", "--count", "2")
        self.assertEqual(sorted(done.out.split()), [b"twice/a", b"twice/b"])

    def test_subscribe_retained_exits_3_when_nothing_is_kept(self):
        done = self.run_peer("subscribe", "--retained", "empty/**")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("keeps no value", done.err)

    def test_retained_and_no_retained_exclude_each_other(self):
        done = self.run_peer("subscribe", "--retained", "--no-retained", "a")
        self.assert_exit(done, USAGE)
        self.assertIn("--no-retained", done.err)


class InterruptedRetainedTest(ProgramTest):
    """More is kept than is on its way to a subscriber that does not read."""

    COUNT = 40
    SIZE = 900_000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.broker.stop()
        cls.broker.start("--heartbeat", "200ms", "--silence", "500ms", "--resume", "300ms")

    def keep_values(self):
        for i in range(self.COUNT):
            done = self.run_peer("publish", "--retain", f"large/{i}", "-", stdin=b"%d " % i + b"x" * self.SIZE)
            self.assert_exit(done, 0)

    def start_reading(self, name):
        """Starts a subscriber, and leaves it with most of what it prints unread."""
        reading = self.start_peer("subscribe", "--retained", "large/**", "--as", name, "--format", "json")
        self.assertEqual(os.read(reading.stdout.fileno(), 1), b"{")
        return reading

    def topics_of(self, reading):
        """What it printed, once each, when it ended as wanted."""
        code, out, err = self.result(reading)
        self.assertEqual(code, 0, err)
        topics = [line["topic"] for line in lines_of(b"{" + out)]
        self.assertEqual(len(topics), len(set(topics)))
        return set(topics)

    def test_a_session_that_begins_anew_still_brings_all_of_it_once(self):
        self.keep_values()
        reading = self.start_reading("anew")
        reading.send_signal(signal.SIGSTOP)
        self.await_gone("anew")
        reading.send_signal(signal.SIGCONT)
        self.assertEqual(self.topics_of(reading), {f"large/{i}" for i in range(self.COUNT)})

    def test_another_run_of_the_broker_that_keeps_nothing_is_the_end(self):
        self.keep_values()
        reading = self.start_reading("other-run")
        self.broker.stop(signal.SIGKILL)
        self.broker.start("--heartbeat", "200ms", "--silence", "500ms", "--resume", "300ms")
        self.assertLessEqual(len(self.topics_of(reading)), self.COUNT)


if __name__ == "__main__":
    unittest.main()
