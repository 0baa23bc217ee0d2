#!/usr/bin/python3
"""zpost-peer publish and subscribe against a real broker.

ZPOST_BIN names the directory of the programs.
"""
import signal
import subprocess
import unittest

from programs import NOT_DELIVERED, TIMED_OUT, USAGE, ProgramTest, await_true, lines_of


class TopicsTest(ProgramTest):
    def start_subscriber(self, probe, *arguments, **more):
        """Starts `subscribe` and waits until what is published to `probe` finds it."""
        process = self.start_peer("subscribe", *arguments, **more)
        await_true(lambda: self.publish("--need-subscriber", probe, "").returncode == 0,
                   f"a subscriber of {probe}")
        return process

    def publish(self, *arguments, **more):
        return self.run_peer("publish", *arguments, **more)

    def test_help_has_examples(self):
        for verb in ("publish", "subscribe"):
            done = self.run_peer(verb, "--help")
            self.assert_exit(done, 0)
            self.assertIn(f"zpost-peer {verb}".encode(), done.out)

    def test_wrong_command_lines_exit_2_and_say_what_is_wrong(self):
        for arguments, word in (
                (("publish",), "TOPIC"),
                (("publish", "a/b"), "what to send"),
                (("publish", "a//b", "x"), "a//b"),
                (("publish", "a/*", "x"), "a/*"),
                (("publish", "a/" + "b" * 300, "x"), "255"),
                (("publish", "--clear", "a/b", "x"), "--clear"),
                (("publish", "--lines", "a/b", "x"), "--lines"),
                (("subscribe",), "PATTERN"),
                (("subscribe", "a/**/b"), "a/**/b"),
                (("subscribe", "a", "b c"), "b c"),
                (("subscribe", "--policy", "hope", "a"), "hope"),
                (("subscribe", "--count", "0", "a"), "--count")):
            with self.subTest(arguments=arguments):
                done = self.run_peer(*arguments)
                self.assert_exit(done, USAGE)
                self.assertIn(word, done.err)

    def test_what_is_published_arrives_with_topic_and_sender(self):
        subscriber = self.start_subscriber("t1/ready", "t1/*/temperature", "t1/ready", "--as", "t1-sub")
        self.assert_exit(self.publish("--as", "t1-pub", "t1/oven/temperature", "212.5"), 0)
        line = ""
        while "oven" not in line:
            line = subscriber.stdout.readline().decode()
        self.assertRegex(line, r"^\d\d:\d\d:\d\d t1/oven/temperature t1-pub: 212.5\n$")

    def test_lines_arrive_whole_and_in_order_at_every_subscriber(self):
        text = b"".join(b"line %d\n" % i for i in range(5000))
        both = [self.start_subscriber(f"t2/{name}", "t2/log", f"t2/{name}", "--as", f"t2-{name}", "--raw")
                for name in ("a", "b")]
        done = self.publish("--lines", "t2/log", stdin=text)
        self.assert_exit(done, 0)
        for subscriber in both:
            line = b""
            while line.strip() == b"":
                line = subscriber.stdout.readline()
            got = [line] + [subscriber.stdout.readline() for _ in range(4999)]
            self.assertEqual(b"".join(got), text)

    def test_count_is_how_many_queues_took_it(self):
        self.assertEqual(self.publish("--count", "t3/x", "1").out, b"0\n")
        self.start_subscriber("t3/x", "t3/*", "t3/x", "--as", "t3-sub")
        self.assertEqual(self.publish("--count", "t3/x", "1").out, b"1\n")
        report, = lines_of(self.publish("--count", "--format", "json", "t3/x", "1").out)
        self.assertEqual((report["to"], report["outcome"], report["queues"]), ("t3/x", "delivered", 1))

    def test_without_a_subscriber_it_is_delivered_unless_one_is_needed(self):
        self.assert_exit(self.publish("t4/nobody", "x"), 0)
        done = self.publish("--need-subscriber", "t4/nobody", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("no-subscriber: nobody subscribes to t4/nobody", done.err)

    def test_a_retained_value_comes_first_until_it_is_cleared(self):
        self.assert_exit(self.publish("--retain", "--as", "t5-pub", "t5/state", "on"), 0)
        done = self.run_peer("subscribe", "t5/**", "--count", "1", "--format", "json")
        self.assert_exit(done, 0)
        value, = lines_of(done.out)
        self.assertEqual((value["topic"], value["retained"], value["body"], value["from"]),
                         ("t5/state", True, "on", "t5-pub"))
        self.assert_exit(self.run_peer("subscribe", "t5/**", "--no-retained", "--timeout", "200ms"),
                         TIMED_OUT)
        self.assert_exit(self.publish("--clear", "t5/state"), 0)
        done = self.run_peer("subscribe", "--as", "t5-sub", "t5/**", "--timeout", "200ms")
        self.assert_exit(done, TIMED_OUT)
        self.assertEqual(done.err, "zpost-peer: timed out: no envelope came within 200ms (--timeout)\n")

    def test_a_signal_ends_a_subscriber_as_wanted(self):
        subscriber = self.start_subscriber("t6/x", "t6/**", "--as", "t6-sub")
        subscriber.send_signal(signal.SIGINT)
        self.assertEqual(self.result(subscriber)[0], 0)

    def test_subscriptions_come_back_with_the_broker(self):
        subscriber = self.start_subscriber("t7/x", "t7/**", "--as", "t7-sub", "--raw",
                                           stderr=subprocess.DEVNULL)
        self.broker.stop()
        self.broker.start()
        await_true(lambda: self.publish("--need-subscriber", "t7/x", "again").returncode == 0,
                   "the subscription is back")
        line = b""
        while line.strip() == b"":
            line = subscriber.stdout.readline()
        self.assertEqual(line, b"again\n")


if __name__ == "__main__":
    unittest.main()
