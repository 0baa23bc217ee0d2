#!/usr/bin/python3
"""zpost-inspect why as a person and a script use it, against a real broker nobody watched.

ZPOST_BIN names the directory of the programs.
"""
import json
import shutil
import signal
import subprocess
import tempfile
import unittest

from programs import BIN, FAILED, PATIENCE_S, UNREACHABLE, USAGE, await_true, environment
from tail_test import Program


class WhyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.broker = Program("zpost-broker", "--listen", "tcp://127.0.0.1:*", "--state",
                              f"{self.folder}/state", *self.settings(), endpoint="")
        self.addCleanup(self.broker.stop, signal.SIGKILL)
        self.endpoint = self.broker.await_line("^listening on ").split()[2]

    def settings(self):
        return ()

    def start(self, program, *arguments):
        started = Program(program, *arguments, endpoint=self.endpoint)
        self.addCleanup(started.stop, signal.SIGKILL)
        return started

    def run_program(self, program, *arguments):
        return subprocess.run([str(BIN / program), *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S,
                              env=environment(self.endpoint))

    def peer(self, *arguments):
        return self.run_program("zpost-peer", *arguments)

    def why(self, *arguments):
        return self.run_program("zpost-inspect", "why", *arguments)

    def story(self, *arguments):
        done = self.why("--format", "json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def await_fate(self, fate, *arguments):
        return await_true(lambda: (lambda told: told if told["fate"] == fate else None)(
            self.story(*arguments)), f"fate {fate}")

    def await_there(self, name, **wanted):
        """Until the broker lists such a peer."""
        def listed():
            for line in self.peer("who", "--format", "json").stdout.splitlines():
                who = json.loads(line)
                if who["name"] == name and all(who[key] == wanted[key] for key in wanted):
                    return who
            return None
        return await_true(listed, f"{name} {wanted}")

    def receiver(self, name):
        receiver = self.start("zpost-peer", "recv", "--as", name)
        self.await_there(name)
        return receiver


class RecordedTest(WhyTest):
    def test_what_was_delivered_is_told_from_beginning_to_end(self):
        self.receiver("bob")
        self.assertEqual(self.peer("send", "--as", "alice", "bob", "hello").returncode, 0)
        told = self.await_fate("delivered", "--last", "--from", "alice", "--to", "bob")
        self.assertEqual([step["event"] for step in told["steps"]],
                         ["received", "forwarded", "delivered"])
        self.assertEqual((told["from"], told["to"], told["kind"]), ("alice", "bob", "send"))
        self.assertNotIn("responsible", told)
        # By its id it is the same story, as text as well.
        by_id = self.story(told["id"])
        self.assertEqual(by_id["steps"], told["steps"])
        text = self.why("#" + told["id"]).stdout
        self.assertRegex(text, rf"send alice → bob #{told['id']} \d+ B\n")
        self.assertRegex(text, r"\d\d:\d\d:\d\d\.\d{6} +received from alice\n")
        self.assertRegex(text, r"\+[\d.]+ [µm]?s +taken by the program of bob\n")

    def test_a_stopped_recipient_is_named_while_its_mail_waits(self):
        bob = self.receiver("bob")
        bob.process.send_signal(signal.SIGSTOP)
        self.addCleanup(bob.process.send_signal, signal.SIGCONT)
        self.assertNotEqual(
            self.peer("send", "--as", "alice", "--timeout", "300ms", "bob", "hello").returncode, 0)
        told = self.story("--last", "--from", "alice")
        self.assertEqual(told["fate"], "under-way")
        self.assertEqual(told["responsible"], "bob")
        self.assertIn("has not taken it yet", told["verdict"])
        bob.process.send_signal(signal.SIGCONT)
        self.await_fate("delivered", told["id"])

    def test_a_failure_says_why(self):
        self.peer("send", "--as", "alice", "nobody", "hello")
        told = self.story("--last", "--from", "alice")
        self.assertEqual(told["fate"], "failed")
        self.assertEqual(told["responsible"], "nobody")
        self.assertIn("no-peer", told["verdict"])

    def test_a_call_is_followed_to_its_worker_and_its_reply(self):
        self.start("zpost-peer", "serve", "--as", "w1", "--service", "upper", "--", "tr", "a-z",
                   "A-Z")
        self.await_there("w1", offers=["upper"])
        done = self.peer("request", "--as", "alice", "--service", "upper", "abc")
        self.assertEqual(done.stdout.strip(), "ABC", done.stderr)
        told = self.await_fate("answered", "--last", "--from", "alice")
        self.assertEqual([step["event"] for step in told["steps"]],
                         ["received", "assigned", "delivered", "answered"])
        self.assertEqual(told["worker"], "w1")
        self.assertEqual(self.story("--last", "--to", "@upper")["id"], told["id"])
        self.assertEqual(self.why("--last", "--to", "@alice").returncode, 1)  # She is no service.
        self.assertEqual(told["replies"][0]["from"], "w1")
        self.assertEqual(told["replies"][0]["steps"][0]["event"], "received")
        # Whoever asks for the reply is told of the call as well.
        self.assertEqual(self.story(told["replies"][0]["id"])["id"], told["id"])
        spans = json.loads(self.why(told["id"], "--otlp").stdout)
        names = [span["name"] for span in
                 spans["resourceSpans"][0]["scopeSpans"][0]["spans"]]
        self.assertEqual(names[0], "call @upper")
        self.assertIn("reply alice", names)

    def test_a_publish_says_how_many_queues_took_it(self):
        self.start("zpost-peer", "subscribe", "--as", "bob", "news/*")
        self.await_there("bob", subscriptions=1)
        self.assertEqual(self.peer("publish", "--as", "alice", "news/today", "hello").returncode, 0)
        told = self.story("--last", "--to", "news/*")
        self.assertEqual((told["fate"], told["to"]), ("spread", "news/today"))
        self.assertIn("1 queue of subscribers took it", told["verdict"])

    def test_what_it_cannot_tell_it_says_so(self):
        unknown = self.why("12345")
        self.assertEqual(unknown.returncode, FAILED)
        self.assertRegex(unknown.stderr, "knows no such envelope: it reaches back")
        self.assertEqual(self.why("--last", "--from", "nobody").returncode, FAILED)

    def test_wrong_use_is_explained(self):
        for arguments, words in (((), "say which envelope"), (("12x",), '"12x" is no id'),
                                 (("1", "--last"), "not both"),
                                 (("--last", "--from", "*a"), "neither a name")):
            wrong = self.why(*arguments)
            self.assertEqual(wrong.returncode, USAGE, arguments)
            self.assertIn(words, wrong.stderr)
        self.broker.stop(signal.SIGKILL)
        self.assertEqual(self.why("1").returncode, UNREACHABLE)


class WithoutRecorderTest(WhyTest):
    def settings(self):
        return ("--recorder", "0")

    def test_a_recorder_that_is_off_is_named(self):
        done = self.why("12345")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("recorder.memory = 0", done.stderr)


del WhyTest
if __name__ == "__main__":
    unittest.main()
