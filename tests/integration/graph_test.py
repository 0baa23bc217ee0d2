#!/usr/bin/python3
"""zpost-inspect graph: who talks to whom, of the recorder and of captures.

ZPOST_BIN names the directory of the programs. Without dot of Graphviz only its absence is tested.
"""
import os
import re
import shutil
import subprocess
import unittest
import xml.etree.ElementTree

from capture_test import CaptureCase
from programs import BIN, FAILED, PATIENCE_S, USAGE, await_true, environment

DOT = shutil.which("dot")


class GraphTest(CaptureCase):
    def graph(self, *arguments):
        return self.run_program("zpost-inspect", "graph", *map(str, arguments))

    def test_a_capture_and_the_recorder_give_the_same_picture(self):
        capture, file = self.exchange()
        self.end(capture, file)
        live = self.graph("--last", "5m")
        self.assertEqual(live.returncode, 0, live.stderr)
        self.assertRegex(live.stdout, r'n\d+ -> n\d+ \[label="2 sends, \d+ B"\];')
        self.assertRegex(live.stdout, r'1 failed", color=red')
        kept = self.graph(file)
        self.assertEqual(kept.returncode, 0, kept.stderr)
        for name in ("alice", "bob", "nobody"):
            self.assertIn(f'[label="{name}"]', live.stdout)
            self.assertIn(f'[label="{name}"]', kept.stdout)
        self.assertTrue(self.graph("--format", "mermaid").stdout.startswith("flowchart LR\n"))

    def test_a_conversation_is_a_sequence(self):
        self.start("zpost-peer", "serve", "--as", "echo", "--", "cat")
        await_true(lambda: self.run_program("zpost-peer", "who", "echo").returncode == 0, "echo")
        done = self.run_program("zpost-peer", "request", "--as", "alice", "echo", "hello")
        self.assertEqual(done.returncode, 0, done.stderr)
        drawn = self.graph("--between", "alice", "echo")
        self.assertEqual(drawn.returncode, 0, drawn.stderr)
        self.assertRegex(drawn.stdout, r"p1->>p2: request \d+, ")
        self.assertRegex(drawn.stdout, r"p2->>p1: reply \d+, ")
        request = drawn.stdout.split("request ")[1].split(",")[0]
        one = self.graph("--conversation", request)
        self.assertEqual(one.returncode, 0, one.stderr)
        self.assertRegex(one.stdout, r"p2->>p1: reply \d+, ")

    def test_a_caller_and_a_service_are_drawn_with_the_workers_replies(self):
        self.start("zpost-peer", "serve", "--as", "srv", "--service", "up", "--", "cat")
        self.await_routed("srv", "--service", "up")
        done = self.run_program("zpost-peer", "request", "--as", "alice", "--service", "up", "hello")
        self.assertEqual(done.returncode, 0, done.stderr)
        drawn = self.graph("--between", "alice", "@up")
        self.assertEqual(drawn.returncode, 0, drawn.stderr)
        self.assertRegex(drawn.stdout, r"p1->>p2: call \d+, ")
        self.assertRegex(drawn.stdout, r"p3->>p1: reply \d+, ")

    def test_subscribers_of_a_live_broker_hang_on_their_topics(self):
        self.start("zpost-peer", "subscribe", "--as", "carol", "lab/**")
        self.await_routed("carol", "--topic", "lab/oven")
        done = self.run_program("zpost-peer", "publish", "--as", "oven", "lab/oven", "31")
        self.assertEqual(done.returncode, 0, done.stderr)
        drawn = self.graph("--last", "5m").stdout
        number = lambda name: re.search(rf'(n\d+) \[label="{name}"', drawn)[1]
        self.assertRegex(drawn, rf'{number("oven")} -> {number("lab/oven")} \[label="1 publish')
        self.assertIn(f'{number("lab/oven")} -> {number("carol")} [style=dashed];', drawn)

    def test_what_cannot_be_drawn_is_said(self):
        self.assertEqual(self.graph("--between", "a", "b").returncode, FAILED)
        for arguments, words in ((("--between", "a", "b", "--conversation", "1"), "not both"),
                                 (("--between", "a", "b", "--format", "svg"), "Mermaid only")):
            wrong = self.graph(*arguments)
            self.assertEqual(wrong.returncode, USAGE)
            self.assertIn(words, wrong.stderr)

    @unittest.skipUnless(DOT, "dot of Graphviz is not here")
    def test_svg_has_each_peer_and_arrow(self):
        self.end(*self.exchange())
        drawn = self.graph("--format", "svg")
        self.assertEqual((drawn.returncode, drawn.stderr), (0, ""))
        space = "{http://www.w3.org/2000/svg}"
        groups = {"node": [], "edge": []}
        for group in xml.etree.ElementTree.fromstring(drawn.stdout).iter(space + "g"):
            if group.get("class") in groups:
                words = [text.text for text in group.iter(space + "text")]
                colours = {path.get("stroke") for path in group.iter(space + "path")}
                groups[group.get("class")].append((" ".join(words), colours))
        names = [words for words, _ in groups["node"]]
        for name in ("alice", "bob", "nobody"):
            self.assertIn(name, names)
        arrows = {words: colours for words, colours in groups["edge"] if "send" in words}
        delivered = next(words for words in arrows if words.startswith("2 sends, "))
        failed = next(words for words in arrows if words.endswith("1 failed"))
        self.assertNotIn("red", arrows[delivered])
        self.assertIn("red", arrows[failed])

    def test_svg_needs_graphviz(self):
        self.send("nobody", "hello")
        bare = self.folder / "bin"
        bare.mkdir()
        os.symlink(shutil.which("sh"), bare / "sh")
        done = subprocess.run([str(BIN / "zpost-inspect"), "graph", "--format", "svg"],
                              env={**environment(self.endpoint), "PATH": str(bare)},
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("install graphviz", done.stderr)


del CaptureCase
if __name__ == "__main__":
    unittest.main()
