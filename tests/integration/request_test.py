#!/usr/bin/python3
"""zpost-peer request and serve against a real broker: one asks, a command answers.

ZPOST_BIN names the directory of the programs.
"""
import os
import pathlib
import pty
import signal
import subprocess
import tempfile
import time
import unittest

from programs import NOT_DELIVERED, TIMED_OUT, USAGE, PEER, ProgramTest, await_true, children_of, lines_of, stop


class RequestAndServeTest(ProgramTest):
    def serve(self, name, *arguments):
        command = arguments[arguments.index("--"):]
        options = arguments[:arguments.index("--")]
        return self.start_peer("serve", "--as", name, *options, *command)

    def test_a_command_answers(self):
        self.serve("upper", "--", "tr", "a-z", "A-Z")
        done = self.run_peer("request", "upper", "is anybody there?")
        self.assertEqual((done.returncode, done.out), (0, b"IS ANYBODY THERE?\n"))
        done = self.run_peer("request", "upper", "-", stdin=b"from stdin")
        self.assertEqual(done.out, b"FROM STDIN\n")

    def test_without_a_body_a_pipe_is_the_body(self):
        self.serve("piped", "--", "cat")
        done = self.run_peer("request", "piped", stdin=b"hi\n")
        self.assertEqual((done.returncode, done.out), (0, b"hi\n"), done.err)
        done = self.run_peer("request", "piped", "", stdin=b"not this\n")
        self.assertEqual((done.returncode, done.out), (0, b"\n"), done.err)

    def test_a_pipe_that_is_too_large_a_body_is_told_with_the_limit(self):
        done = self.run_peer("request", "nobody", stdin=b"x" * 3_000_000)
        self.assert_exit(done, NOT_DELIVERED)
        self.assertRegex(done.err, r"more than [\d,]+ bytes, this broker takes envelopes of at most [\d,]+")

    def test_without_a_body_a_terminal_is_not_waited_for(self):
        self.serve("empty", "--", "wc", "-c")
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        asking = self.start_peer("request", "empty", stdin=slave)
        os.close(slave)
        self.assertEqual(self.result(asking)[:2], (0, b"0\n"))

    def test_a_body_from_a_file_has_one_option_in_every_verb(self):
        self.serve("filed", "--", "cat")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "body"
            path.write_bytes(b"from a file")
            done = self.run_peer("request", "--body-file", str(path), "filed")
            self.assertEqual((done.returncode, done.out), (0, b"from a file\n"), done.err)
            for reader, writer in ((("recv",), ("send", "reader")),
                                   (("subscribe", "a/b"), ("publish", "--need-subscriber", "a/b"))):
                reading = self.start_peer(*reader, "--as", "reader", "--count", "1", "--raw")
                await_true(lambda: self.run_peer(*writer, "--body-file", str(path)).returncode == 0, "it is taken")
                self.assertEqual(self.result(reading)[:2], (0, b"from a file"))
        for verb, earlier in (("request", "--file"), ("publish", "--file-body")):
            done = self.run_peer(verb, earlier, "x", "to")
            self.assert_exit(done, USAGE)
            self.assertIn("did you mean --body-file?", done.err)

    def test_a_reply_in_json(self):
        self.serve("cat1", "--", "cat")
        done = self.run_peer("request", "--format", "json", "cat1", "x")
        reply, = lines_of(done.out)
        self.assertEqual((reply["from"], reply["kind"], reply["body"]), ("cat1", "reply", "x"))

    def test_a_failure_in_json_is_an_object_with_outcome_and_reason(self):
        self.serve("sad2", "--", "sh", "-c", "echo no luck >&2; exit 7")
        self.serve("half", "--stream", "--", "sh", "-c", "echo first; exit 7")
        serving = self.serve("asleep4", "--", "cat")
        serving.send_signal(signal.SIGSTOP)
        self.addCleanup(serving.send_signal, signal.SIGCONT)
        for arguments, code, outcome, text, words in (
                (("nobody", "x"), NOT_DELIVERED, "no-peer", "nobody named nobody is here", "no-peer: nobody named"),
                (("--service", "none", "x"), NOT_DELIVERED, "no-worker", "nobody offers none", "no-worker: nobody"),
                (("sad2", "x"), NOT_DELIVERED, "rejected", "sad2 said no: sh exited with status 7: no luck",
                 "rejected by sad2: sh exited"),
                (("asleep4", "--timeout", "300ms", "x"), TIMED_OUT, "timed-out",
                 "no reply from asleep4 within 300ms", "timed out: no reply"),
                (("--stream", "half", "x"), NOT_DELIVERED, "rejected", "half said no: sh exited with status 7",
                 "rejected by half: ")):
            with self.subTest(arguments=arguments):
                done = self.run_peer("request", "--format", "json", *arguments)
                self.assert_exit(done, code)
                self.assertIn(words, done.err)
                *replies, failure = lines_of(done.out)
                self.assertRegex(failure.pop("id"), r"^\d+$")
                to = next(word for word in arguments if word[0] != "-")
                self.assertEqual(failure, {"to": to, "outcome": outcome, "text": text})
                self.assertEqual([each["body"] for each in replies], ["first"] if to == "half" else [])

    def test_who_asks_the_own_name_is_told_that_it_is(self):
        done = self.run_peer("request", "--timeout", "300ms", "--as", "eva3", "eva3", "x")
        self.assert_exit(done, TIMED_OUT)
        self.assertIn("timed out: no reply from eva3 within 300ms: eva3 is this program's own name (--as), and it "
                      "only asks\n", done.err)

    def test_a_request_that_is_too_large_cancelled_or_cut_off_is_told_in_json(self):
        done = self.run_peer("request", "--format", "json", "nobody", stdin=b"x" * 3_000_000)
        self.assert_exit(done, NOT_DELIVERED)
        failure, = lines_of(done.out)
        self.assertEqual((failure["to"], failure["outcome"]), ("nobody", "too-large"))
        self.assertIn(failure["text"], done.err)
        serving = self.serve("doomed", "--", "sleep", "600")
        asking = self.start_peer("request", "--format", "json", "doomed", "x")
        await_true(lambda: children_of(serving.pid), "the command runs")
        asking.send_signal(signal.SIGINT)
        code, out, _ = self.result(asking)
        failure, = lines_of(out)
        self.assertEqual((code, failure["outcome"], failure["text"]),
                         (130, "cancelled", "doomed has not replied yet"))
        await_true(lambda: not children_of(serving.pid), "the command is stopped")
        asking = self.start_peer("request", "--format", "json", "--timeout", "60s", "doomed", "x")
        await_true(lambda: children_of(serving.pid), "the command runs again")
        for _ in range(2):  # The second stops the command; its request is told no.
            serving.send_signal(signal.SIGINT)
        code, out, _ = self.result(asking)
        failure, = lines_of(out)
        self.assertEqual((code, failure["outcome"]), (NOT_DELIVERED, "rejected"))

    def test_a_large_binary_body_goes_both_ways(self):
        self.serve("cat2", "--", "cat")
        body = bytes(range(256)) * 3000
        done = self.run_peer("request", "--raw", "cat2", "-", stdin=body)
        self.assertEqual((done.returncode, done.out), (0, body))

    def test_the_command_knows_who_asks(self):
        self.serve("env1", "--", "sh", "-c", 'echo "$ZPOST_FROM $ZPOST_CONTENT_TYPE ${ZPOST_ID:+id}"')
        done = self.run_peer("request", "--as", "asker", "--content-type", "a/b", "env1", "x")
        self.assertEqual(done.out, b"asker a/b id\n")

    def test_a_failing_command_rejects_with_status_and_last_words(self):
        self.serve("sad", "--", "sh", "-c", "echo first >&2; echo last words >&2; exit 7")
        done = self.run_peer("request", "sad", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("rejected", done.err)
        self.assertIn("7", done.err)
        self.assertIn("last words", done.err)
        self.assertNotIn("first", done.err)
        self.assertEqual(done.out, b"")

    def test_a_killed_command_rejects(self):
        self.serve("killed", "--", "sh", "-c", "kill -9 $$")
        done = self.run_peer("request", "killed", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertRegex(done.err, "(?i)kill|signal 9")

    def test_a_command_that_takes_too_long_is_stopped(self):
        self.serve("slow", "--command-timeout", "300ms", "--", "sh", "-c", "sleep 60")
        start = time.monotonic()
        done = self.run_peer("request", "slow", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertLess(time.monotonic() - start, 5)
        self.assertIn("took too long", done.err)

    def test_complaining_without_end_does_not_outrun_the_time_limit(self):
        with subprocess.Popen([PEER, "serve", "--as", "noisy", "--command-timeout", "300ms", "--",
                               "sh", "-c", "yes >&2"], stderr=subprocess.DEVNULL,
                              env=self.environment()) as noisy:
            self.await_present("noisy")
            done = self.run_peer("request", "noisy", "x")
            self.assertEqual(stop(noisy), 0)
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("took too long", done.err)

    def test_output_beyond_the_limit_is_rejected_not_collected(self):
        self.serve("flood", "--", "yes")
        done = self.run_peer("request", "flood", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("rejected", done.err)

    def test_a_command_that_does_not_read_its_input_answers(self):
        self.serve("deaf", "--", "echo", "hello")
        done = self.run_peer("request", "deaf", "-", stdin=b"x" * 500_000)
        self.assertEqual((done.returncode, done.out), (0, b"hello\n"))

    def test_concurrency_runs_several_at_once_and_no_more(self):
        self.serve("two", "--concurrency", "2", "--", "sh", "-c", "sleep 1.5; echo done")
        start = time.monotonic()
        asking = [self.start_peer("request", "two", "x") for _ in range(4)]
        for each in asking:
            self.assertEqual(self.result(each)[:2], (0, b"done\n"))
        took = time.monotonic() - start
        self.assertGreater(took, 2.9)
        self.assertLess(took, 5.9)

    def test_exit_codes_count_also_when_whoever_started_it_ignores_children(self):
        serving = subprocess.Popen(
            [PEER, "serve", "--as", "orphan", "--", "sh", "-c", "exit 7"],
            env=self.environment(), stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.addCleanup(self.end, serving)
        self.await_present("orphan")
        done = self.run_peer("request", "orphan", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("exited with status 7", done.err)

    def test_a_command_ignores_no_signals(self):
        serving = subprocess.Popen(
            [PEER, "serve", "--as", "signals", "--", "sed", "-n", "s/^SigIgn:\t*//p",
             "/proc/self/status"], env=self.environment(), stderr=subprocess.DEVNULL,
            preexec_fn=lambda: [signal.signal(each, signal.SIG_IGN)
                                for each in (signal.SIGCHLD, signal.SIGINT, signal.SIGUSR1)])
        self.addCleanup(self.end, serving)
        self.await_present("signals")
        done = self.run_peer("request", "signals", "x")
        of_libc = 3 << 31  # 32 and 33, which are not for programs.
        self.assertEqual(int(done.out, 16) & ~of_libc, 0, done.out)

    def test_serve_ends_after_count(self):
        serving = self.serve("once", "--count", "1", "--", "cat")
        self.assert_exit(self.run_peer("request", "once", "x"), 0)
        self.assertEqual(self.result(serving)[0], 0)
        self.assert_exit(self.run_peer("request", "once", "x"), NOT_DELIVERED)

    def test_serve_leaves_no_zombies_and_ends_on_sigterm(self):
        serving = self.serve("tidy", "--", "true")
        for _ in range(3):
            self.assert_exit(self.run_peer("request", "tidy", "x"), 0)
        await_true(lambda: not children_of(serving.pid), "no children are left")
        self.assertEqual(stop(serving), 0)
        self.assertFalse(self.is_present("tidy"))

    def test_a_request_that_nobody_answers_times_out(self):
        serving = self.serve("asleep3", "--", "cat")
        serving.send_signal(signal.SIGSTOP)
        done = self.run_peer("request", "--timeout", "500ms", "asleep3", "x")
        serving.send_signal(signal.SIGCONT)
        self.assert_exit(done, TIMED_OUT)
        self.assertIn("500ms", done.err)

    def test_the_help_says_that_lost_takes_longer_than_the_default_timeout(self):
        text = " ".join(self.run_peer("request", "--help").out.decode().split())
        self.assertIn("waits 30 s (its session.resume) for it to come back before the outcome is lost", text)
        self.assertIn("default --timeout of 10 s ends sooner", text)

    def test_a_request_to_nobody_is_not_delivered(self):
        done = self.run_peer("request", "nobody", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("no-peer", done.err)


class SmallEnvelopesTest(ProgramTest):
    """A broker that came back takes smaller envelopes than before."""

    def test_a_reply_that_does_not_fit_any_more_is_a_no_with_the_reason(self):
        serving = self.start_peer("serve", "--as", "vast", "--", "sh", "-c",
                                  'head -c 100000 /dev/zero; read -r _ < "$(cat)"')
        with tempfile.TemporaryDirectory() as folder:
            pipe = pathlib.Path(folder) / "pipe"
            os.mkfifo(pipe)
            asking = self.start_peer("request", "--as", "asker2", "--timeout", "60s", "vast",
                                     str(pipe))
            await_true(lambda: children_of(serving.pid), "the command runs")
            self.broker.stop(signal.SIGKILL)
            self.broker.start("--max-envelope", "64KiB")
            self.await_present("asker2")
            # Its library knows the new limit. What it had sent before would fail otherwise.
            while b"connected again" not in (line := serving.stderr.readline()):
                self.assertTrue(line)
            pipe.write_bytes(b"go on\n")
            code, _, err = self.result(asking)
        self.assertEqual(code, NOT_DELIVERED, err)
        self.assertIn("cannot reply", err)
        self.assertIn("65536", err.replace(",", ""))


if __name__ == "__main__":
    unittest.main()
