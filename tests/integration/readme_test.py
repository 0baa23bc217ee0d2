#!/usr/bin/python3
"""README.md's commands, literally: what stands in its sh blocks is what runs here.

They use the broker's usual port. So this file runs itself again in a network of its own.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

from raw_peer import RawPeer
from support import BIN, BROKER, PATIENCE, Case, wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
ENDPOINT = "tcp://127.0.0.1:1234"
OWN_NETWORK = "ZPOST_OWN_NETWORK"


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.M | re.S).group(1)


def blocks(text):
    """Its sh blocks, each a list of lines."""
    return [found.splitlines() for found in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)]


def words(line):
    """A command without its comment."""
    return re.sub(r"\s+# .*$", "", line)


def comment(line):
    return line.partition(" # ")[2].strip()


class Shell:
    """A bash that is given one line after the other."""

    def __init__(self, case):
        self.case, self.lines = case, 0
        self.output = case.folder / "shell.out"
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}",
                       "HOME": str(case.folder)}
        with open(self.output, "wb") as output:
            self.bash = subprocess.Popen(
                ["bash"], stdin=subprocess.PIPE, text=True, cwd=case.folder, stdout=output,
                stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        case.addCleanup(self.close)

    def close(self):
        """Its whole session: the shell and what it left in the background."""
        try:
            os.killpg(self.bash.pid, 9)
        except ProcessLookupError:
            pass
        self.bash.stdin.close()
        self.bash.wait(PATIENCE)

    def run(self, line):
        """Types the line. Returns what was written until it was done, and its exit code."""
        self.lines += 1
        begin = self.output.stat().st_size
        self.bash.stdin.write(f"{line}\necho \"[done {self.lines} $?]\"\n")
        self.bash.stdin.flush()
        mark = re.compile(rf"\[done {self.lines} (\d+)\]\n")
        text = lambda: self.output.read_bytes()[begin:].decode()
        found = wait_until(lambda: mark.search(text()), f"done: {line}\n{text()}")
        return text()[:found.start()], int(found.group(1))


class ReadmeTest(Case):
    def setUp(self):
        super().setUp()
        by_hand = section("Five minutes").partition("By hand")[2]
        self.by_hand = blocks(by_hand)
        self.shell = Shell(self)

    def single(self, start):
        """The one line of a block under "By hand" that begins like this."""
        found = [block for block in self.by_hand if words(block[0]).startswith(start)]
        self.assertEqual([len(block) for block in found], [1], self.by_hand)
        return found[0][0]

    def start_broker_as_written(self):
        self.shell.run(self.single("zpost-broker") + " &")
        wait_until(lambda: f"listening on {ENDPOINT}" in self.shell.output.read_text(),
                   "the broker listens")

    def here(self):
        peer = RawPeer(ENDPOINT, "looker")
        try:
            peer.join(wait_for_name=True)  # Its goodbye may be read after its next hello.
            names = [p["name"] for p in peer.ask({"op": "who"})["peers"]]
            peer.goodbye()
            return names
        finally:
            peer.disconnect()

    def test_the_programs_it_names_are_built(self):
        named = set(re.findall(r"^(zpost-\w+)", "\n".join(sum(blocks(README), [])), re.M))
        self.assertGreaterEqual(named, {"zpost-broker", "zpost-peer", "zpost-inspect"})
        for program in named:
            self.assertTrue((BIN / program).exists(), program)

    def test_what_it_says_about_the_shell_is_so(self):
        self.start_broker_as_written()
        lines = sum(blocks(section("From the shell")), [])
        self.assertGreaterEqual(len(lines), 5)
        for line in lines:
            begin = time.monotonic()
            output, code = self.shell.run(line)
            self.assertEqual(code, 0, f"{line}\n{output}")
            self.assertLess(time.monotonic() - begin, PATIENCE / 2, line)
            name = re.search(r"--as (\S+)", line)
            if words(line).endswith("&"):
                # A reader types slower than a program starts.
                wait_until(lambda: name.group(1) in self.here(), f"here: {line}", pause=0.05)
            if comment(line).isupper():
                self.assertIn(comment(line), output, line)
            code = re.match(r"(\d), and says why", comment(line))
            if code:
                self.assertRegex(output, rf"(?s)no-peer.*^{code.group(1)}$|^{code.group(1)}$.*no-peer"
                                 .replace("^", r"(?m:^)").replace("$", r"(?m:$)"))

    def test_the_inspector_shows_what_passes(self):
        self.start_broker_as_written()
        self.shell.run(self.single("zpost-inspect tail") + " > tail.txt &")
        wait_until(lambda: len(self.here()) >= 2, "the inspector is here", pause=0.05)
        tail = self.folder / "tail.txt"
        # It asks for the tap once it is here: what passes before is not shown.
        def shown():
            self.shell.run('zpost-peer send nobody "hello" 2> /dev/null')
            return "no-peer" in tail.read_text() and "nobody" in tail.read_text()
        wait_until(shown, "the tail shows the failure")

    def test_chats_find_each_other(self):
        self.start_broker_as_written()
        chats = [line for block in self.by_hand for line in block if "chat" in line]
        self.assertEqual(len(chats), 2)
        for line in chats:
            # Their terminal is a pipe that stays open.
            self.shell.run(f"{{ sleep 60; }} | {words(line)} > /dev/null &")
        wait_until(lambda: {"alice", "bob"} <= set(self.here()), "both are here", pause=0.05)

    def test_the_configuration_it_points_to_is_right(self):
        path = re.search(r"\((docs/\S+\.toml)\)", README).group(1)
        process = self.start("check", [BROKER, "--config", ROOT / path, "--check-config"])
        self.assertEqual(process.exit_code(), 0, process.err())
        self.assertIn("ok", process.out())

    def test_files_it_links_to_exist(self):
        for path in re.findall(r"\]\((?!http)([^)#]+)\)", README):
            self.assertTrue((ROOT / path).exists(), path)


def in_own_network():
    """Runs this file again where no other program is. The exit code, or None if that cannot be."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        return None
    inside = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if subprocess.run(inside + ["true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                      check=False).returncode != 0:
        return None
    command = [sys.executable, "-B", __file__, *sys.argv[1:]]
    return subprocess.run(inside + command, env={**os.environ, OWN_NETWORK: "1"},
                          check=False).returncode


if __name__ == "__main__":
    if OWN_NETWORK not in os.environ:
        code = in_own_network()
        if code is None:
            print("skipped: needs root, unshare and ip for a network of its own")
            code = 0
        sys.exit(code)
    unittest.main()
