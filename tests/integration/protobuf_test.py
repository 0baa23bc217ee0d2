#!/usr/bin/python3
"""zpost-inspect shows protobuf bodies by descriptor sets, as protoc writes and encodes them.

ZPOST_BIN names the directory of the programs.
"""
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from programs import BIN, PATIENCE_S, USAGE, await_true, environment
from tail_test import Program

PROTO = """
syntax = "proto3";
package lab;
import "google/protobuf/timestamp.proto";
message Reading {
  double temp = 1;
  repeated string tags = 2;
  google.protobuf.Timestamp at = 3;
}
"""


class ProtobufTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "lab.proto").write_text(PROTO)
        self.protoc("--include_imports", "--descriptor_set_out=lab.desc", "lab.proto")
        self.body = self.folder / "body"
        self.body.write_bytes(self.protoc(
            "--encode=lab.Reading", "lab.proto",
            text=b'temp: 31.5 tags: "a" tags: "b" at { seconds: 1800000000 }'))
        self.broker = Program("zpost-broker", "--listen", "tcp://127.0.0.1:*", "--state",
                              f"{self.folder}/state", endpoint="")
        self.addCleanup(self.broker.stop, signal.SIGKILL)
        self.endpoint = self.broker.await_line("^listening on ").split()[2]

    def protoc(self, *arguments, text=b""):
        return subprocess.run(["protoc", *arguments], input=text, cwd=self.folder, check=True,
                              capture_output=True, timeout=PATIENCE_S).stdout

    def inspect(self, *arguments):
        return subprocess.run([str(BIN / "zpost-inspect"), *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S,
                              cwd=self.folder, env=environment(self.endpoint), check=False)

    def start_tail(self, *arguments):
        tail = Program("zpost-inspect", "tail", "event = received", *arguments,
                       endpoint=self.endpoint)
        self.addCleanup(tail.stop, signal.SIGKILL)
        tail.await_message("^watching")
        return tail

    def publish(self, *arguments):
        subprocess.run([str(BIN / "zpost-peer"), "publish", "--as", "alice", *arguments,
                        "--body-file", str(self.body), "lab/1/temp"], stdin=subprocess.DEVNULL,
                       check=True, capture_output=True, timeout=PATIENCE_S,
                       env=environment(self.endpoint))

    def proto(self, *more):
        return ["--proto", str(self.folder / "lab.desc"), *more]

    def test_a_rule_or_the_content_type_says_which_message_it_is(self):
        line = self.start_tail(*self.proto("--proto-type", "lab/*/temp=lab.Reading"))
        tree = self.start_tail("--tree", *self.proto("--proto-type", "lab/*/temp=lab.Reading"))
        typed = self.start_tail("--format", "json", *self.proto())
        self.publish("--content-type", "application/x-protobuf; messageType=lab.Reading")
        self.assertIn('lab.Reading {"temp":31.5,"tags":["a","b"],"at":"2027',
                      line.await_line("lab.Reading"))
        tree.await_line(r"^ +temp: 31\.5$")
        tree.await_line(r'^ +\[1\]: "b"$')
        shown = typed.await_object(protobuf_message="lab.Reading")
        self.assertEqual(shown["body_protobuf"],
                         {"temp": 31.5, "tags": ["a", "b"], "at": "2027-01-15T08:00:00Z"})
        self.publish()
        await_true(lambda: sum("lab.Reading" in each for each in line.lines) == 2, line.lines)

    def test_captures_are_shown_the_same_way(self):
        capture = Program("zpost-inspect", "capture", "-w", f"{self.folder}/trace.pcapng",
                          endpoint=self.endpoint)
        self.addCleanup(capture.stop, signal.SIGKILL)
        capture.await_message("^capturing")
        self.publish()
        await_true(lambda: "lab/1/temp" in self.inspect("read", "trace.pcapng").stdout, "captured")
        rule = self.proto("--proto-type", "lab/**=lab.Reading")
        self.assertIn('lab.Reading {"temp":31.5', self.inspect("read", "trace.pcapng", *rule).stdout)
        lines = self.inspect("read", "trace.pcapng", "--format", "json", *rule).stdout.splitlines()
        self.assertIn(31.5, [json.loads(each).get("body_protobuf", {}).get("temp")
                             for each in lines])

    def test_what_is_wrong_is_said_before_anything_begins(self):
        self.protoc("--descriptor_set_out=alone.desc", "lab.proto")
        for options, words in ((["--proto", "lab.proto"], "lab.proto is no descriptor set"),
                               (["--proto", "none.desc"], "none.desc cannot be read: No such file"),
                               (["--proto", "."], ". cannot be read"),
                               (["--proto", "alone.desc"], "lacks google/protobuf/timestamp.proto"),
                               (["--proto", "lab.desc", "--proto-type", "x=lab.Rain"],
                                'no descriptor set has a message "lab.Rain"; there are lab.Reading'),
                               (["--proto-type", "x=lab.Reading"], "--proto")):
            done = self.inspect("tail", *options)
            self.assertEqual(done.returncode, USAGE, done.stderr)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
