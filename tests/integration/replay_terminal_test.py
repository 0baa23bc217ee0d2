#!/usr/bin/python3
"""zpost-inspect replay on a terminal: its keys, its signals, and lines that fit.

ZPOST_BIN names the directory of the programs.
"""
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import unittest

from programs import BIN, PATIENCE_S, await_true, environment
from replays import DIFFERENT, OFFICE, SAME, ReplayCase


class StepTest(ReplayCase):
    def start_at(self, terminal, stderr=subprocess.PIPE):
        replay = subprocess.Popen(
            [str(BIN / "zpost-inspect"), "replay", str(OFFICE), "--step", "--ignore-field", "time",
             "--format", "json"],
            stdin=terminal, stdout=subprocess.PIPE, stderr=stderr, text=True,
            start_new_session=True, preexec_fn=lambda: control_terminal(terminal),
            env=environment(self.endpoint))
        self.addCleanup(replay.stdout.close)
        if replay.stderr:
            self.addCleanup(replay.stderr.close)
        self.addCleanup(replay.kill)
        return replay

    def start_in_raw_terminal(self, **more):
        """The replay, both ends of its terminal, and that as it was before."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        before = termios.tcgetattr(theirs)
        replay = self.start_at(theirs, **more)
        await_true(lambda: termios.tcgetattr(theirs) != before, "keys to be read one by one")
        return replay, ours, theirs, before

    def test_two_signals_at_once_are_one(self):
        replay, _, theirs, before = self.start_in_raw_terminal()
        for sig in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
            replay.send_signal(sig)
        out, err = replay.communicate(timeout=PATIENCE_S)
        self.assertIn(replay.returncode, (130, 143), err)
        self.assertEqual(json.loads(out.splitlines()[-1])["end"], "signalled", err)
        self.assertEqual(termios.tcgetattr(theirs), before)

    def test_a_later_signal_ends_it_at_once_and_leaves_the_terminal_as_it_was(self):
        unread, messages = os.pipe()
        self.addCleanup(os.close, unread)
        room = fcntl.fcntl(messages, fcntl.F_SETPIPE_SZ, 4096)
        replay, ours, theirs, before = self.start_in_raw_terminal(stderr=messages)
        os.close(messages)

        def stands_still():
            """Nobody reads what it says to so many questions: the next word of help does not fit."""
            os.write(ours, b"?" * 32)
            waiting = int.from_bytes(fcntl.ioctl(unread, termios.FIONREAD, bytes(4)), sys.byteorder)
            return waiting > room - 100
        await_true(stands_still, "a replay that cannot say any more")
        replay.send_signal(signal.SIGINT)

        def ended():
            replay.send_signal(signal.SIGTERM)
            return replay.poll() is not None
        await_true(ended, "the end of a replay that stands still")
        self.assertEqual(replay.returncode, 143)
        self.assertNotIn("summary", replay.stdout.read())  # It had no time for a report.
        self.assertEqual(termios.tcgetattr(theirs), before)

    def test_each_key_sends_so_many(self):
        self.start_office()
        ours, theirs = pty.openpty()
        replay = self.start_at(theirs)
        os.close(theirs)
        self.addCleanup(os.close, ours)
        tail = self.start("zpost-inspect", "tail", "--format", "json", "--events", "received")
        tail.await_message("^watching")
        os.write(ours, b" ")
        tail.await_object(**{"from": "alice", "to": "bob"})
        os.write(ours, b"s1\nb2\n")  # Not dana's, but alice's two next ones.
        tail.await_object(**{"from": "alice", "to": "carol"})
        tail.await_object(**{"from": "alice", "to": "@count"})
        os.write(ours, b"q")
        out, err = replay.communicate(timeout=PATIENCE_S)
        summary = json.loads(out.splitlines()[-1])
        self.assertEqual(summary["end"], "stopped", err)
        self.assert_adds_up(summary, loops=1, unsent=2, passed_over=1)
        self.assertRegex(err, r"next 1: alice → bob request")
        self.assertFalse([each for each in tail.objects() if each["from"] == "dana"])


class NarrowTest(ReplayCase):
    """On a terminal of 80 columns, with names that are nearly as long."""
    ALICE, BOB = "alice-" + "a" * 50, "bob-" + "b" * 50

    def run_on_terminal(self, *arguments, keys=b""):
        """Its exit code, and the lines that a person sees."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        replay = subprocess.Popen(
            [str(BIN / "zpost-inspect"), "replay", *map(str, arguments)], stdin=theirs,
            stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: control_terminal(theirs),
            env=environment(self.endpoint, TERM="xterm", NO_COLOR="1"))
        os.close(theirs)
        self.addCleanup(replay.kill)
        os.write(ours, keys)
        seen = b""
        while True:
            try:
                seen += os.read(ours, 65536)
            except OSError:  # Nobody has the terminal any more.
                break
        # A carriage return begins the last line anew; what it erases is not to be seen.
        lines = [line.split("\x1b[K")[-1].split("\r")[-1]
                 for line in seen.decode().replace("\r\n", "\n").split("\n")]
        return replay.wait(PATIENCE_S), lines

    def capture_of_long_names(self):
        self.serve(self.BOB, "tr", "a-z", "A-Z")
        capture, file = self.start_capture("long.pcapng")
        asked = self.run_program("zpost-peer", "request", "--as", self.ALICE, self.BOB,
                                 "hello " * 30)
        self.assertEqual(asked.returncode, 0, asked.stderr)
        # Refused at once: it is named as not sent.
        self.run_program("zpost-peer", "send", "--as", self.ALICE, "nobody-" + "n" * 50, "hello")
        self.await_objects(file, 1, event="answered")
        self.await_objects(file, 1, event="failed")
        self.assertEqual(capture.stop(), 0)
        return file

    def test_no_line_is_wider_than_the_terminal(self):
        file = self.capture_of_long_names()
        code, lines = self.run_on_terminal(file, "--redirect", f"{self.BOB}=nobody", "--loop", "2",
                                           "--speed", "max")
        self.assertEqual(code, DIFFERENT, lines)
        text = "\n".join(lines)
        for words in ("request #…", "recorded", "2 not sent, 1 a loop", "…"):
            self.assertIn(words, text)
        self.assertEqual([line for line in lines if len(line) > 80], [])

    def test_nor_is_one_of_a_step(self):
        file = self.capture_of_long_names()
        code, lines = self.run_on_terminal(file, "--step", "--at-least", "1", keys=b"? ")
        self.assertEqual(code, SAME, lines)
        self.assertTrue([line for line in lines if line.startswith("next 1: alice-aaa")], lines)
        self.assertIn("hello hel", "\n".join(line for line in lines if "next 1" in line))
        self.assertEqual([line for line in lines if len(line) > 80], [])


def control_terminal(descriptor):
    """In the child: the terminal is that of its session, and it is in the foreground."""
    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


if __name__ == "__main__":
    unittest.main()
