#!/usr/bin/python3
"""zpost-peer as a person and a script use it: against a real broker, right and wrong.

ZPOST_BIN names the directory of the programs.
"""
import base64
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from programs import (BIN, FAILED, NOT_DELIVERED, REFUSED, TIMED_OUT, UNREACHABLE, USAGE, PATIENCE_S, PEER,
                      ProgramTest, await_true, lines_of, stop)


class UsageTest(ProgramTest):
    def test_every_verb_has_help_with_examples(self):
        for verb in ("chat", "send", "recv", "request", "serve", "who"):
            done = self.run_peer(verb, "--help")
            self.assert_exit(done, 0)
            self.assertIn(b"Examples:", done.out, verb)
            self.assertIn(f"zpost-peer {verb}".encode(), done.out)
            self.assertEqual(done.err, "")

    def test_wrong_command_lines_exit_2_and_say_what_is_wrong(self):
        for arguments, word in (
                ((), "subcommand"),
                (("shout",), "no verb shout"),
                (("send",), "TO"),
                (("send", "bob"), "what to send"),
                (("send", "not a name", "x"), "not a name"),
                (("send", "--as", "-alice", "bob", "x"), "name"),
                (("send", "bob", "x", "--timeout", "soon"), "soon"),
                (("send", "bob", "x", "--wait", "queued"), "durable mail"),
                (("send", "bob", "x", "--wait", "luck"), "luck"),
                (("send", "bob", "x", "--format", "xml"), "xml"),
                (("send", "bob", "x", "--file", "y"), "exclude"),
                (("send", "--lines", "bob", "x"), "--lines"),
                (("send", "--file", "/does/not/exist", "bob"), "No such file"),
                (("send", "--content-type", "x" * 200, "bob", "x"), "limit is 128"),
                (("request", "--content-type", "x" * 200, "bob"), "limit is 128"),
                (("serve", "--content-type", "x" * 200, "--", "cat"), "limit is 128"),
                (("request", "--content-type", "\udcff", "bob"), "\\xff"),
                (("send", "--content-type", "a\nb", "bob", "x"), '"a\\nb" has control characters'),
                (("publish", "--content-type", "a\tb", "a", "x"), '"a\\tb" has control characters'),
                (("request", "--content-type", "a\x7fb", "bob"), '"a\\x7fb" has control characters'),
                (("serve", "--content-type", "a\x85b", "--", "cat"), '"a\\u{85}b" has control characters'),
                (("recv", "--display", "\udcff"), "\\xff"),
                (("recv", "--count", "0"), "--count"),
                (("recv", "--count", "many"), "many"),
                (("request", "--timeout", "-1s", "bob"), "-1s"),
                (("serve", "--as", "x"), "COMMAND"),
                (("serve", "--as", "x", "--", "no-such-command-here"), "no-such-command-here"),
                (("who", "a b"), "a b"),
                (("chat", "--to", "a b"), "a b")):
            with self.subTest(arguments=arguments):
                done = self.run_peer(*arguments)
                self.assert_exit(done, USAGE)
                self.assertIn(word, done.err)
                self.assertEqual(done.out, b"")

    def test_a_wrong_command_line_points_at_what_was_meant_and_at_the_help_of_its_verb(self):
        for arguments, words, verb in (
                (("sned", "bob", "x"), "there is no verb sned; did you mean send?", None),
                (("send", "--line", "bob"), "send: there is no option --line; did you mean --lines?", "send"),
                (("recv", "--cuont", "3"), "recv: there is no option --cuont; did you mean --count?", "recv"),
                (("recv", "bob"), 'recv: "bob" is too much', "recv"),
                (("recv", "--count", "many"), '--count: "many" is not a whole number', "recv"),
                (("recv", "--raw", "--format", "json"), "--raw and --format exclude each other", "recv"),
                (("recv", "--overwrite"), "--overwrite is only for --save", "recv"),
                (("subscribe", "--policy", "blok", "a"),
                 '--policy: "blok" is none of drop-oldest, block, disconnect; did you mean block?', "subscribe"),
                (("who", "--format", "xml"), '--format: "xml" is none of text, json', "who"),
                (("send", "--as"), "--as needs a value: NAME", "send"),
                (("send",), "TO is missing: Who is to get it", "send"),
                (("serve", "--as", "x", "tr", "-d", "a"), "a command and its options come after --", "serve"),
                (("send", "--lines", "--file", "x", "bob"), "--lines reads standard input or --body-file", "send"),
                (("send", "--body-file", "x", "--file", "x", "bob"), "--file and --body-file exclude", "send")):
            with self.subTest(arguments=arguments):
                done = self.run_peer(*arguments)
                self.assert_exit(done, USAGE)
                self.assertIn(words, done.err)
                hint = f"zpost-peer {verb} --help says what {verb} takes" if verb else "zpost-peer --help"
                self.assertIn(hint, done.err)

    def test_a_broker_that_is_not_there_is_said_within_two_seconds_with_advice(self):
        env = self.environment(ZPOST_ENDPOINT="tcp://127.0.0.1:9")
        for arguments in (("send", "bob", "x"), ("recv",), ("request", "bob"), ("who",),
                          ("serve", "--", "cat"), ("chat", "--as", "eve", "--to", "bob")):
            with self.subTest(arguments=arguments):
                # A busy machine starts it late, and may stand still for a moment.
                self.assertTrue(any(self.seconds_unreachable(*arguments, env=env) < 4 for _ in range(3)))

    def seconds_unreachable(self, *arguments, env):
        start = time.monotonic()
        done = self.run_peer(*arguments, env=env)
        took = time.monotonic() - start
        self.assert_exit(done, UNREACHABLE)
        self.assertIn("tcp://127.0.0.1:9", done.err)
        self.assertIn("zpost-broker", done.err)
        self.assertIn("--endpoint", done.err)
        return took

    def test_without_descriptors_the_limit_is_said(self):
        done = subprocess.run(["sh", "-c", "ulimit -n 10; exec \"$0\" who", PEER], check=False,
                              env=self.environment(), capture_output=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"this process may have 10 (ulimit -n)", done.stderr)

    def test_a_flag_is_stronger_than_the_environment(self):
        env = self.environment(ZPOST_ENDPOINT="tcp://127.0.0.1:9")
        self.assert_exit(self.run_peer("who", "--endpoint", self.broker.endpoint, env=env), 0)

    def test_a_bad_endpoint_is_a_usage_error(self):
        for endpoint in ("127.0.0.1:1234", "foo", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://127.0.0.1:abc"):
            for verb in (("who",), ("send", "bob", "x"), ("recv",), ("chat", "--as", "eve")):
                with self.subTest(endpoint=endpoint, verb=verb):
                    done = self.run_peer(*verb, "--endpoint", endpoint)
                    self.assert_exit(done, USAGE)
                    self.assertIn(f'endpoint "{endpoint}": ', done.err)
                    self.assertIn("must be tcp://HOST:PORT or ipc://PATH", done.err)

    def test_endpoints_of_every_sort_reach_the_broker(self):
        with tempfile.TemporaryDirectory() as folder:
            wanted = [f"ipc://{folder}/socket", "tcp://127.0.0.1:*"]
            with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))  # Where there is IPv6 at all.
                wanted.append("tcp://[::1]:*")
            listens = [word for endpoint in wanted for word in ("--listen", endpoint)]
            broker = subprocess.Popen([str(BIN / "zpost-broker"), *listens, "--admin", "",
                                       "--state", f"{folder}/state"], stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True)
            self.addCleanup(self.end, broker)
            endpoints = [broker.stdout.readline().split()[2] for _ in wanted]
            endpoints.append(endpoints[1].replace("127.0.0.1", "localhost"))
            for endpoint in endpoints:
                with self.subTest(endpoint=endpoint):
                    self.assert_exit(self.run_peer("who", "--endpoint", endpoint), 0)

    def test_a_held_name_exits_5_and_says_since_when(self):
        self.start_peer("recv", "--as", "holder")
        done = self.run_peer("send", "--as", "holder", "bob", "x")
        self.assert_exit(done, REFUSED)
        self.assertRegex(done.err, r"(?s)holder.*held by instance [0-9a-f]+ from 127\.0\.0\.1 since ")

    def test_the_name_comes_from_the_environment(self):
        recv = self.start_peer("recv", "--as", "named", "--count", "1", "--format", "json")
        self.assert_exit(self.run_peer("send", "named", "x", env=self.environment(ZPOST_NAME="eva")), 0)
        code, out, _ = self.result(recv)
        self.assertEqual((code, lines_of(out)[0]["from"]), (0, "eva"))


class SendAndRecvTest(ProgramTest):
    def test_a_text_arrives_with_time_and_sender(self):
        recv = self.start_peer("recv", "--as", "bob1", "--count", "1")
        done = self.run_peer("send", "--as", "alice1", "bob1", "grüße, bob")
        self.assert_exit(done, 0)
        self.assertEqual((done.out, done.err), (b"", ""))
        code, out, err = self.result(recv)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out.decode(), r"^\d\d:\d\d:\d\d alice1: grüße, bob\n$")

    def test_json_tells_everything_of_an_envelope(self):
        recv = self.start_peer("recv", "--as", "bob2", "--count", "2", "--format", "json")
        sent = self.run_peer("send", "--as", "alice2", "--format", "json", "--content-type",
                             "text/plain", "bob2", "hello")
        self.assert_exit(sent, 0)
        self.assert_exit(self.run_peer("send", "--as", "alice2", "bob2", "-", stdin=b"\xff\0\x01"), 0)
        code, out, _ = self.result(recv)
        self.assertEqual(code, 0)
        text, binary = lines_of(out)
        self.assertEqual((text["from"], text["kind"], text["content_type"], text["body"]),
                         ("alice2", "send", "text/plain", "hello"))
        self.assertRegex(text["sent"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.assertEqual(base64.b64decode(binary["body_base64"]), b"\xff\0\x01")
        report, = lines_of(sent.out)
        self.assertEqual((report["id"], report["to"], report["outcome"]),
                         (text["id"], "bob2", "delivered"))

    def test_a_stream_of_lines_arrives_whole_and_in_order(self):
        text = b"".join(b"line %d\n" % i for i in range(20000)) + b"\nlast without end"
        with tempfile.TemporaryFile() as copy:
            recv = self.start_peer("recv", "--as", "bob3", "--count", "20002", "--raw", stdout=copy)
            done = self.run_peer("send", "--lines", "bob3", "-", stdin=text)
            self.assert_exit(done, 0)
            self.assertEqual(done.err, "")
            self.assertEqual(recv.wait(PATIENCE_S), 0)
            copy.seek(0)
            self.assertEqual(copy.read(), text + b"\n")

    def test_lines_leave_as_they_come(self):
        recv = self.start_peer("recv", "--as", "bob4", "--raw")
        sending = self.start_peer("send", "--lines", "bob4", stdin=subprocess.PIPE)
        for line in (b"one\n", b"two\n"):
            sending.stdin.write(line)
            sending.stdin.flush()
            self.assertEqual(recv.stdout.readline(), line)
        sending.stdin.close()
        sending.stdin = None
        self.assertEqual(self.result(sending)[0], 0)

    def test_standard_input_is_copied_byte_by_byte(self):
        content = bytes(range(256)) * 1000
        with tempfile.TemporaryFile() as copy:
            recv = self.start_peer("recv", "--as", "bob5", "--count", "1", "--raw", stdout=copy)
            self.assert_exit(self.run_peer("send", "bob5", "-", stdin=content), 0)
            self.assertEqual(recv.wait(PATIENCE_S), 0)
            copy.seek(0)
            self.assertEqual(copy.read(), content)

    def test_nobody_there_is_not_delivered(self):
        done = self.run_peer("send", "nobody", "hello?")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("no-peer", done.err)
        self.assertIn("nobody named nobody is here", done.err)

    def test_of_many_failures_a_few_are_named_and_the_rest_counted(self):
        done = self.run_peer("send", "--lines", "--format", "json", "nobody", "-",
                             stdin=b"x\n" * 100)
        self.assert_exit(done, NOT_DELIVERED)
        self.assertLess(len(done.err.splitlines()), 12)
        self.assertIn("line 1 ", done.err)
        self.assertRegex(done.err, r"9[0-9] more")
        reports = lines_of(done.out)
        self.assertEqual([report["line"] for report in reports], list(range(1, 101)))
        self.assertEqual({report["outcome"] for report in reports}, {"no-peer"})

    def test_too_large_a_body_is_told_with_value_and_limit(self):
        with tempfile.TemporaryFile() as file:
            file.truncate(3 << 20)
            done = subprocess.run([PEER, "send", "bob", "-"], stdin=file, capture_output=True,
                                  env=self.environment(), timeout=PATIENCE_S, check=False)
            done.err = done.stderr.decode()
        self.assertIn(done.returncode, (USAGE, NOT_DELIVERED))
        self.assertRegex(done.err, r"3,?145,?728 .*1,?048,?576")

    def test_lines_that_are_too_large_are_left_out_and_the_others_arrive(self):
        limit = 1 << 20
        lines = [b"one", b"x" * (3 * limit), b"two", b"y" * limit, b"three", b"z" * (2 * limit)]
        recv = self.start_peer("recv", "--as", "bob14", "--count", "3", "--raw")
        done = self.run_peer("send", "--lines", "bob14", "-", stdin=b"\n".join(lines))
        self.assert_exit(done, NOT_DELIVERED)
        self.assertEqual(self.result(recv)[:2], (0, b"one\ntwo\nthree\n"))
        complaints = done.err.splitlines()
        self.assertEqual(len(complaints), 3, done.err)
        for number, complaint in zip((2, 4, 6), complaints):
            self.assertIn(f"line {number} not delivered: too-large", complaint)

    def test_a_receiver_that_does_not_take_times_the_sender_out(self):
        asleep = self.start_peer("recv", "--as", "asleep")
        asleep.send_signal(signal.SIGSTOP)
        start = time.monotonic()
        done = self.run_peer("send", "--timeout", "500ms", "asleep", "x")
        asleep.send_signal(signal.SIGCONT)
        self.assert_exit(done, TIMED_OUT)
        self.assertLess(time.monotonic() - start, PATIENCE_S / 4)  # Without --timeout it is 10 s.
        self.assertIn("asleep", done.err)

    def test_who_sends_to_the_own_name_is_told_that_it_is(self):
        done = self.run_peer("send", "--timeout", "300ms", "--as", "eva3", "eva3", "x")
        self.assert_exit(done, TIMED_OUT)
        self.assertIn("timed out: eva3 did not take 1 envelope within 300ms (--timeout): eva3 is this program's own "
                      "name (--as), and it only sends\n", done.err)
        done = self.run_peer("who", "--as", "eva4", "eva4")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("nobody else named eva4 is here", done.err)

    def test_wait_sent_does_not_wait_for_the_receiver(self):
        asleep = self.start_peer("recv", "--as", "asleep2", "--count", "1", "--raw")
        asleep.send_signal(signal.SIGSTOP)
        done = self.run_peer("send", "--wait", "sent", "asleep2", "x")
        asleep.send_signal(signal.SIGCONT)
        self.assert_exit(done, 0)
        self.assertEqual(self.result(asleep)[:2], (0, b"x\n"))

    def test_recv_times_out_with_6_and_counts(self):
        recv = self.start_peer("recv", "--as", "bob6", "--count", "2", "--timeout", "4s")
        self.assert_exit(self.run_peer("send", "bob6", "x"), 0)
        code, out, err = self.result(recv)
        self.assertEqual(code, TIMED_OUT)
        self.assertEqual(len(out.splitlines()), 1)
        self.assertIn("timed out: 1 envelope came, then nothing for 4s (--timeout), 2 wanted", err)

    def test_recv_to_which_nothing_comes_says_so(self):
        done = self.run_peer("recv", "--as", "bob25", "--timeout", "200ms")
        self.assert_exit(done, TIMED_OUT)
        self.assertEqual(done.err, "zpost-peer: timed out: no envelope came within 200ms (--timeout)\n")

    def test_recv_swallows_nothing_it_does_not_print(self):
        """What is sent to a recv that wants one goes, from the second on, to the next that asks."""
        first = self.start_peer("recv", "--as", "bob7", "--count", "1", "--raw")
        done = self.run_peer("send", "--lines", "--timeout", "20s", "bob7", "-",
                             stdin=b"one\ntwo\nthree\n")
        self.assertEqual(self.result(first)[:2], (0, b"one\n"))
        self.assert_exit(done, NOT_DELIVERED)
        self.assertNotIn("line 1 ", done.err)
        self.assertIn("line 2 ", done.err)
        self.assertIn("line 3 ", done.err)

    def test_recv_ends_cleanly_on_signals(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            recv = self.start_peer("recv", "--as", "bob8")
            self.assertEqual(stop(recv, sig), 0)
            self.assertFalse(self.is_present("bob8"))

    def test_recv_ends_when_nobody_reads_its_output(self):
        recv = self.start_peer("recv", "--as", "bob9")
        recv.stdout.close()
        recv.stdout = None
        done = self.run_peer("send", "bob9", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertEqual(recv.wait(PATIENCE_S), 0)

    def test_what_others_send_cannot_command_the_terminal(self):
        recv = self.start_peer("recv", "--as", "bob10", "--count", "2")
        evil = b"\x1b]0;owned\x07\x1b[2Jhi\x9b\nalice: forged"
        self.assert_exit(self.run_peer("send", "bob10", "-", stdin=evil), 0)
        self.assert_exit(self.run_peer("send", "bob10", "\u202eabc\x1b[31m"), 0)
        _, out, _ = self.result(recv)
        self.assertFalse(set(out) & (set(range(0x20)) - {0x0a}), out)
        self.assertNotIn("\u202e".encode(), out)
        for line in out.decode().splitlines():
            self.assertFalse(line.startswith("alice:"), line)

    def test_bodies_are_shown_by_what_they_are(self):
        recv = self.start_peer("recv", "--as", "bob11", "--count", "3")
        msgpack = b"\x82\xa1a\x01\xa1b\x93\xc0\xc3\xa1x"
        for body, content_type in ((msgpack, "application/msgpack"),
                                   (b'{"x": [1, 2]}', "application/json"),
                                   (b"\x00\xfe\xff", "image/png")):
            self.assert_exit(self.run_peer("send", "--content-type", content_type, "bob11", "-",
                                           stdin=body), 0)
        shown = self.result(recv)[1].decode().splitlines()
        self.assertIn('{"a":1,"b":[null,true,"x"]}', shown[0].replace(" ", "").split("anon")[1])
        self.assertIn('"x"', shown[1])
        self.assertIn("00 fe ff", shown[2])

    def test_recv_says_no_to_requests(self):
        self.start_peer("recv", "--as", "bob12")
        done = self.run_peer("request", "bob12", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("rejected", done.err)
        self.assertIn("receives", done.err)

    def test_a_pipe_has_no_colours(self):
        recv = self.start_peer("recv", "--as", "bob13", "--count", "1")
        self.assert_exit(self.run_peer("send", "bob13", "x"), 0)
        self.assertNotIn(b"\x1b", self.result(recv)[1])


class SignalTest(ProgramTest):
    """The first signal ends what waits, whatever it waits for."""

    def interrupt(self, process, sig):
        """Exit code and messages."""
        process.send_signal(sig)
        try:
            code = process.wait(PATIENCE_S / 4)  # Less than any of them waits for by itself.
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return code, process.stderr.read().decode()

    def test_lines_from_an_idle_pipe_end_as_wanted(self):
        recv = self.start_peer("recv", "--as", "ina", "--raw")
        for sig in (signal.SIGINT, signal.SIGTERM):
            sending = self.start_peer("send", "--as", "inb", "--lines", "ina", stdin=subprocess.PIPE)
            sending.stdin.write(b"one\n")
            sending.stdin.flush()
            self.assertEqual(recv.stdout.readline(), b"one\n")
            self.assertEqual(self.interrupt(sending, sig), (0, ""))
            self.await_gone("inb")

    def test_what_a_stream_sent_before_its_signal_is_waited_for(self):
        asleep = self.start_peer("recv", "--as", "inl", "--count", "1", "--raw")
        asleep.send_signal(signal.SIGSTOP)
        sending = self.start_peer("send", "--as", "inm", "--lines", "inl", stdin=subprocess.PIPE)
        sending.stdin.write(b"one\n")
        sending.stdin.flush()
        await_true(lambda: b'"queued":1' in self.run_peer("who", "inl", "--format", "json").out
                   or b'"unacked":1' in self.run_peer("who", "inl", "--format", "json").out, "it is sent")
        sending.send_signal(signal.SIGINT)
        with self.assertRaises(subprocess.TimeoutExpired):
            sending.wait(0.5)
        asleep.send_signal(signal.SIGCONT)
        self.assertEqual(self.result(asleep)[:2], (0, b"one\n"))
        self.assertEqual(sending.wait(PATIENCE_S), 0)

    def test_a_body_that_does_not_end_is_given_up(self):
        with tempfile.TemporaryDirectory() as folder:
            pipe = str(pathlib.Path(folder) / "pipe")
            os.mkfifo(pipe)
            for sig, source, verbs in (
                    (signal.SIGINT, ("inc", "-"), ("send", "request")),
                    (signal.SIGTERM, ("inc", "-"), ("send", "request")),
                    (signal.SIGINT, ("--body-file", pipe, "inc"), ("request", "send"))):
                for verb in verbs:
                    with self.subTest(verb=verb, source=source):
                        reading = self.start_peer(verb, "--as", "ind", *source,
                                                  stdin=subprocess.PIPE)
                        code, err = self.interrupt(reading, sig)
                        self.assertEqual(code, 128 + sig, err)
                        self.assertIn("interrupted: nothing was sent", err)
                        self.await_gone("ind")
            lines = self.start_peer("send", "--as", "ine", "--lines", "--body-file", pipe, "inc")
            self.assertEqual(self.interrupt(lines, signal.SIGINT), (0, ""))

    def test_a_named_pipe_is_read_to_its_end(self):
        with tempfile.TemporaryDirectory() as folder:
            pipe = pathlib.Path(folder) / "pipe"
            os.mkfifo(pipe)
            recv = self.start_peer("recv", "--as", "inf", "--count", "1000", "--raw")
            sending = self.start_peer("send", "--as", "ing", "--lines", "--body-file", str(pipe), "inf")
            lines = (b"x" * 199 + b"\n") * 1000
            # More than the pipes on the way hold: somebody must read meanwhile.
            writing = threading.Thread(target=pipe.write_bytes, args=(lines,))
            writing.start()
            self.addCleanup(writing.join)
            self.assertEqual(self.result(recv)[:2], (0, lines))
            self.assertEqual(self.result(sending)[0], 0)

    def test_waiting_for_what_became_of_it_is_given_up_and_said(self):
        asleep = self.start_peer("recv", "--as", "inh")
        asleep.send_signal(signal.SIGSTOP)
        self.addCleanup(asleep.send_signal, signal.SIGCONT)

        def under_way():
            peer, = lines_of(self.run_peer("who", "inh", "--format", "json").out)
            return peer["queued"] + peer["unacked"]
        for verb, word in (("send", "1 envelope without an outcome"), ("request", "not replied")):
            for sig in (signal.SIGINT, signal.SIGTERM):
                before = under_way()
                waiting = self.start_peer(verb, "--as", "ini", "--timeout", "60s", "inh", "x")
                # Else the signal may come while there is nothing to wait for yet.
                await_true(lambda least=before: under_way() > least, "it is sent")
                code, err = self.interrupt(waiting, sig)
                self.assertEqual(code, 128 + sig, err)
                self.assertIn("interrupted: ", err)
                self.assertIn(word, err)
                self.await_gone("ini")

    def test_lines_that_were_read_and_not_sent_are_counted(self):
        asleep = self.start_peer("recv", "--as", "inj")
        asleep.send_signal(signal.SIGSTOP)
        self.addCleanup(asleep.send_signal, signal.SIGCONT)
        with tempfile.TemporaryFile() as file:
            file.write(b"x" * 1000 + b"\n")
            file.write((b"x" * 999 + b"\n") * 500_000)
            file.seek(0)
            sending = self.start_peer("send", "--as", "ink", "--lines", "--timeout", "60s", "inj",
                                      stdin=file)
            # It reads on until nothing more may be under way.
            position = pathlib.Path(f"/proc/{sending.pid}/fdinfo/0")
            places = []

            def stands_still():
                places.append(position.read_text())
                return len(places) > 25 and len(set(places[-25:])) == 1
            await_true(stands_still, "no credit any more")
            code, err = self.interrupt(sending, signal.SIGINT)
        self.assertEqual(code, 128 + signal.SIGINT, err)
        self.assertRegex(err, r"interrupted: [\d,]+ envelopes not sent")


class OutputTest(ProgramTest):
    """What is not shown is not passed over."""

    def run_closed(self, redirection, *arguments, stdin=b""):
        done = subprocess.run(["sh", "-c", f'exec "$@" {redirection}', "sh", PEER, *arguments],
                              input=stdin, capture_output=True, env=self.environment(),
                              timeout=PATIENCE_S, check=False)
        done.err = done.stderr.decode()
        return done

    def test_a_list_that_cannot_be_written_is_an_error(self):
        self.start_peer("recv", "--as", "outa")
        for arguments in (("who",), ("who", "outa"), ("who", "--format", "json")):
            with open("/dev/full", "wb") as full, subprocess.Popen(
                    [PEER, *arguments], stdout=full, stderr=subprocess.PIPE,
                    env=self.environment()) as who:
                self.assertIn(b"No space left", who.communicate(timeout=PATIENCE_S)[1])
            self.assertEqual(who.returncode, FAILED)

    def test_nothing_else_takes_the_place_of_a_closed_standard_output(self):
        for redirection in (">&-", "<&- >&-", "<&- >&- 2>&-"):
            with self.subTest(redirection=redirection):
                recv = subprocess.Popen(
                    ["sh", "-c", f'exec "$@" {redirection}', "sh", PEER, "recv", "--as", "outb",
                     "--raw"], stderr=subprocess.PIPE, env=self.environment())
                self.addCleanup(self.end, recv)
                self.await_present("outb")
                done = self.run_peer("send", "outb", "7 bytes")  # With a line feed: what an eventfd takes.
                self.assert_exit(done, NOT_DELIVERED)
                self.assertIn("lost", done.err)
                code, _, err = self.result(recv)
                self.assertEqual(code, FAILED)
                if "2>" not in redirection:
                    self.assertIn("cannot write to standard output", err)

    def test_a_closed_standard_input_has_no_body(self):
        done = self.run_closed("<&-", "send", "--timeout", "2s", "bob", "-")
        self.assert_exit(done, USAGE)
        self.assertIn("standard input", done.err)


class WhoTest(ProgramTest):
    def test_a_table_for_people(self):
        self.start_peer("recv", "--as", "bob20")
        self.assert_exit(self.run_peer("send", "bob20", "x"), 0)
        done = self.run_peer("who")
        self.assert_exit(done, 0)
        head, *rows = done.out.decode().splitlines()
        for word in ("name", "state", "since", "queued", "unacked", "sent", "received", "software"):
            self.assertIn(word, head.lower())
        row, = [row.split() for row in rows if row.startswith("bob20 ")]
        self.assertIn("active", row)
        self.assertIn("zpost-peer", row)

    def test_json_for_programs(self):
        self.start_peer("recv", "--as", "bob21")
        done = self.run_peer("who", "bob21", "--format", "json")
        self.assertIn(b'"bob21"', done.out)
        peer, = lines_of(done.out)
        self.assertEqual((peer["name"], peer["state"], peer["queued"]), ("bob21", "active", 0))

    def test_a_name_that_is_not_here_exits_3(self):
        done = self.run_peer("who", "nobody")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("nobody", done.err)
        self.assertEqual(done.out, b"")


class BrokerRestartTest(ProgramTest):
    """The broker goes away and comes back on the same port, in the middle of things."""

    def test_recv_goes_on_after_a_restart(self):
        recv = self.start_peer("recv", "--as", "walt", "--raw")
        self.assert_exit(self.run_peer("send", "walt", "before"), 0)
        self.broker.stop(signal.SIGKILL)
        self.broker.start()
        self.await_present("walt")
        self.assert_exit(self.run_peer("send", "walt", "after"), 0)
        self.assertEqual(recv.stdout.readline(), b"before\n")
        self.assertEqual(recv.stdout.readline(), b"after\n")

    def test_a_sender_that_waits_while_the_broker_is_gone_says_so(self):
        asleep = self.start_peer("recv", "--as", "xeno")
        asleep.send_signal(signal.SIGSTOP)
        sending = self.start_peer("send", "--as", "yara", "--timeout", "5s", "xeno", "x")
        self.broker.stop(signal.SIGKILL)
        code, _, err = self.result(sending)
        asleep.send_signal(signal.SIGCONT)
        self.broker.start()
        self.assertEqual(code, UNREACHABLE, err)
        self.assertIn(self.broker.endpoint, err)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    unittest.main()
