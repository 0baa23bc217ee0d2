#!/usr/bin/python3
"""Whoever asks and takes no answers is not waited for: the programs go on for others."""
import os
import re
import signal
import subprocess
import unittest

from raw_peer import META_IN_REPLY_TO, META_REJECTED, Kind
from support import BIN, PATIENCE, Case, wait_until

# More than may be under way to one peer, and than wait for it.
QUESTIONS = 400


class UnreadRepliesTest(Case):
    def setUp(self):
        super().setUp()
        self.broker = self.start_broker()

    def start_program(self, announcement, program, *arguments):
        """The process, and its name as it says it."""
        self.said = self.folder / f"{arguments[0]}.said"
        with open(self.said, "wb") as said:
            process = subprocess.Popen(
                [str(BIN / program), *arguments], stdin=subprocess.PIPE, stdout=said, stderr=said,
                env={**os.environ, "ZPOST_ENDPOINT": self.broker.endpoint})
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        name = wait_until(lambda: re.search(announcement, self.said.read_text()), announcement)[1]
        return process, name

    def ask_without_taking(self, name):
        """Every question arrives; not one answer is taken."""
        greedy = self.join(self.broker, "greedy", abilities=["acks"])
        for _ in range(QUESTIONS // 20):
            for _ in range(20):
                last = greedy.send(name, b"?", kind=Kind.REQUEST)
            greedy.outcome_of(name, last)
        return greedy

    def ask(self, name):
        """Another peer's question: the answer."""
        polite = self.join(self.broker, "polite", abilities=["acks"], acks=True)
        polite.send(name, b"please", kind=Kind.REQUEST)
        return polite.expect(Kind.REPLY)

    def check_end(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0, self.said.read_text())

    def check_refusals(self, process, name):
        greedy = self.ask_without_taking(name)
        self.assertTrue(self.ask(name).meta[META_REJECTED])
        self.check_end(process)
        self.assertRegex(self.said.read_text(), r"\d+ requests got no answer")
        return greedy

    def test_serve_drops_what_goes_beyond_its_bound_and_says_so(self):
        process, name = self.start_program(r"serving as (\S+)", "zpost-peer", "serve",
                                           "--", "cat")
        greedy = self.ask_without_taking(name)
        self.assertEqual(self.ask(name).body, "please")
        said = wait_until(lambda: re.findall(r"replies to greedy.*", self.said.read_text()), "it")
        self.assertEqual(said, ["replies to greedy are dropped: it does not take the 64 that wait"])
        # Whoever begins to take gets what waited, in order.
        before = greedy.taken
        greedy.acks = True
        greedy.ack()
        greedy.pump_until(lambda: greedy.taken >= before + 64, "what waited")
        answers = [e.meta[META_IN_REPLY_TO] for e in greedy.seen if e.kind == Kind.REPLY]
        self.assertEqual(answers, sorted(set(answers)))
        self.check_end(process)
        self.assertRegex(self.said.read_text(), r"\d+ replies to greedy dropped")

    def test_serve_ends_while_replies_wait(self):
        process, name = self.start_program(r"serving as (\S+)", "zpost-peer", "serve",
                                           "--concurrency", "4", "--", "cat")
        self.ask_without_taking(name)
        self.check_end(process)
        self.assertRegex(self.said.read_text(), r"\d+ replies to greedy dropped")

    def test_recv_goes_on(self):
        process, name = self.start_program(r"receiving as (\S+)", "zpost-peer", "recv")
        self.check_refusals(process, name)

    def test_chat_goes_on(self):
        process, name = self.start_program(r"you are (\S+)", "zpost-peer", "chat", "--as", "chatty")
        self.check_refusals(process, name)

    def test_tail_goes_on(self):
        process, name = self.start_program(r"watching \S+ as ([^;]+);", "zpost-inspect", "tail")
        self.check_refusals(process, name)


if __name__ == "__main__":
    unittest.main()
