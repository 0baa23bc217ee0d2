#!/usr/bin/python3
"""zpost-inspect top on terminals of several sizes, over a resize and a restart of the broker.

The terminals are tmux's, so that what is compared is what a person would see. ZPOST_BIN names the
directory of the programs.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from programs import (BIN, USAGE, UNREACHABLE, PATIENCE_S, Broker, ProgramTest, await_true,
                      environment)
from raw_peer import Kind, RawPeer
from relay import TO_PEER, Relay

INSPECT = str(BIN / "zpost-inspect")
TMUX = shutil.which("tmux")


class Screen:
    """A terminal of tmux's on which top runs."""

    def __init__(self, endpoint, columns, lines, *arguments):
        self.folder = tempfile.mkdtemp()
        self.env = environment(endpoint, TMUX_TMPDIR=self.folder, TERM="xterm-256color")
        self.env.pop("TMUX", None)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines),
                  INSPECT, "top", *arguments)
        self.tmux("set-option", "-g", "remain-on-exit", "on")
        self.resize(columns, lines)

    def tmux(self, *arguments):
        done = subprocess.run([TMUX, "-L", "top", *arguments], env=self.env, check=False,
                              capture_output=True, timeout=PATIENCE_S)
        return done.stdout.decode(errors="replace")

    def resize(self, columns, lines):
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def type_text(self, text):
        self.tmux("send-keys", "-l", text)

    def lines(self):
        return self.tmux("capture-pane", "-p").split("\n")[:-1]

    def expect(self, pattern):
        def found():
            return re.search(pattern, "\n".join(self.lines()), re.M)
        try:
            return await_true(found, pattern)
        except AssertionError:
            raise AssertionError(f"no {pattern!r} in:\n" + "\n".join(self.lines())) from None

    def expect_none(self, pattern):
        await_true(lambda: not re.search(pattern, "\n".join(self.lines()), re.M),
                   f"no more {pattern}")

    def pid(self):
        return int(self.tmux("display-message", "-p", "#{pane_pid}"))

    def is_over(self):
        return self.tmux("display-message", "-p", "#{pane_dead}").strip() != "0"

    def close(self):
        self.tmux("kill-server")
        shutil.rmtree(self.folder, ignore_errors=True)


@unittest.skipUnless(TMUX, "tmux is not here")
class TopScreenTest(ProgramTest):
    def open(self, columns=80, lines=24, *arguments):
        screen = Screen(self.broker.endpoint, columns, lines, *arguments)
        self.addCleanup(screen.close)
        screen.expect(r"^zpost top ")
        return screen

    def send(self, *arguments, stdin=b""):
        return self.run_peer("send", *arguments, stdin=stdin)

    def test_peers_with_their_traffic_are_seen(self):
        self.start_peer("recv", "--as", "bob")
        screen = self.open()
        screen.expect(r"^  bob .* 0 ")
        for _ in range(3):
            self.assert_exit(self.send("--as", "alice", "bob", "hello"), 0)
        self.send("--as", "alice", "nobody", "hello")
        screen.expect(r"^[ ~] alice +\S+ +\S+ +0 +0 +1 ")
        screen.expect(r"^  bob .* [\d.]+ [µm]?s +[\d.]+ [µm]?s")
        screen.expect(r"failed \d/s, \d+ ever \(.*no-peer")
        screen.expect(r"^up \d+ (s|min).* recorder holds \d+\.\d min, \S+ \S+ of 64 MiB")
        self.assertEqual(len(screen.lines()), 24)

    def test_enter_goes_from_a_peer_to_an_envelope_to_its_life_and_back(self):
        self.start_peer("recv", "--as", "dave")
        self.assert_exit(self.send("--as", "alice", "dave", "hello"), 0)
        screen = self.open(80, 24, "--filter", 'to = dave')
        self.assert_exit(self.send("--as", "alice", "dave", "hello"), 0)
        screen.expect(r"^  dave ")
        screen.type("<")  # By name.
        screen.expect(r"▼Peer")
        screen.type("End")
        screen.type("Enter")
        screen.expect(r"^dave +active ")
        screen.expect(r"delivered alice → dave +send +\d+ B +#")
        screen.type("Enter")
        screen.expect(r"taken by the program of dave")
        screen.type("Escape")
        screen.expect(r"delivered alice → dave")
        screen.type("Escape")
        screen.expect(r"▼Peer")

    def test_it_grows_and_shrinks_with_its_terminal(self):
        self.start_peer("recv", "--as", "erin")
        screen = self.open(120, 40)
        screen.expect(r"TRAFFIC +LATENCY")
        screen.resize(80, 24)
        screen.expect(r"P99 LATENCY")
        screen.expect_none("TRAFFIC")
        screen.expect(r"^  erin ")
        screen.resize(70, 20)
        screen.expect(r"top wants 80×24, here is 70×20")
        screen.resize(120, 40)
        screen.expect(r"TRAFFIC +LATENCY")
        self.assertTrue(all(len(line) <= 120 for line in screen.lines()))
        screen.expect(r"^q quit ")

    def test_it_goes_on_over_a_restart_of_the_broker(self):
        screen = self.open()
        self.broker.stop()
        screen.expect(r"the broker does not answer")
        self.broker.start()
        screen.expect(r"recorder holds")
        self.start_peer("recv", "--as", "frank")
        screen.expect(r"^  frank ")
        self.assert_exit(self.send("--as", "alice", "frank", "hello"), 0)
        screen.expect(r"^  frank .* [\d.]+ [µm]?s +[\d.]+ [µm]?s")

    def test_it_says_that_it_does_not_count_while_its_tap_is_not_open(self):
        relay = Relay(int(self.broker.endpoint.rsplit(":", 1)[1]))
        self.addCleanup(relay.close)
        screen = Screen(relay.endpoint, 80, 24)
        self.addCleanup(screen.close)
        screen.expect(r"recorder holds")
        relay.stalls_new = True
        relay.connections[0].cut()  # The tap's; the other asks on.
        screen.expect(r"the broker's tap is not open: what passes now may not be counted$")
        relay.heal()
        screen.expect(r"recorder holds")
        self.start_peer("recv", "--as", "judy")
        self.send("--as", "alice", "judy", "hello")
        screen.expect(r"^  judy .* [\d.]+ [µm]?s +[\d.]+ [µm]?s")

    def test_topics_and_services_have_tabs(self):
        self.start_peer("subscribe", "--as", "grace", "lab/**")
        self.start_peer("serve", "--as", "worker", "--service", "shout", "--", "tr", "a-z", "A-Z")
        screen = self.open()
        screen.expect(r"^  grace ")
        self.run_peer("publish", "lab/oven", "20 C")
        screen.type("t")
        screen.expect(r"^  lab/oven +\d+ +\d+ +1 +0")
        self.run_peer("request", "--service", "shout", "hello")
        screen.type("v")
        screen.expect(r"^  shout .* 1 +0 +[\d.]+ [µm]?s")
        screen.type("Enter")
        screen.expect(r"answered +\S+ → @shout +call ")

    def test_a_filter_is_typed_and_what_is_wrong_with_it_is_said(self):
        self.start_peer("recv", "--as", "heidi")
        screen = self.open()
        screen.expect(r"^  heidi ")
        screen.type_text("/frm = alice")
        screen.type("Enter")
        screen.expect(r'there is no field "frm"')
        screen.type("C-u")
        screen.type_text("from = ivan")
        screen.type("Enter")
        screen.expect(r"only from = ivan")
        screen.expect_none("heidi")
        self.send("--as", "alice", "heidi", "hello")
        self.send("--as", "ivan", "heidi", "hello")
        screen.expect(r"^[ ~] ivan ")
        self.assertNotIn("alice", "\n".join(screen.lines()))

    def test_what_the_recorder_holds_counts_from_its_first_record_on(self):
        screen = self.open()
        screen.expect(r"recorder holds .* [1-9][\d.]* (B|KiB) of 64 MiB")

    def test_help_pause_and_quit(self):
        screen = self.open()
        screen.type("?")
        screen.expect(r"peers, topics, services")
        screen.type("?")
        screen.type("Space")
        screen.expect(r"^PAUSED")
        screen.type("Space")
        screen.expect_none("PAUSED")
        screen.type("q")
        await_true(screen.is_over, "the end")

    def test_an_answer_under_way_at_its_end_is_not_lost(self):
        with open(os.path.join(tempfile.mkdtemp(), "failed"), "w+", encoding="utf-8") as failed:
            self.addCleanup(shutil.rmtree, os.path.dirname(failed.name))
            tail = subprocess.Popen([INSPECT, "tail", "--events", "failed", "--json"],
                                    env=environment(self.broker.endpoint), stdout=failed,
                                    stderr=subprocess.PIPE, text=True)
            self.addCleanup(tail.stderr.close)
            self.addCleanup(tail.kill)
            self.assertIn("watching", tail.stderr.readline())
            relay = Relay(int(self.broker.endpoint.rsplit(":", 1)[1]))
            self.addCleanup(relay.close)
            screen = Screen(relay.endpoint, 80, 24)
            self.addCleanup(screen.close)
            screen.expect(r"^up ")
            asks = relay.connections[1].flowing[TO_PEER]
            asks.clear()
            screen.expect("the broker does not answer")  # It did: that is under way.
            watcher = RawPeer(self.broker.endpoint, "watcher", patience=PATIENCE_S)
            self.addCleanup(watcher.disconnect)
            watcher.join()
            watcher.control(Kind.WATCH, ["inspect-*"])
            watcher.expect(Kind.PRESENCE)  # It watches.
            os.kill(screen.pid(), signal.SIGTERM)
            # What looks at the tap leaves; for the answer there is no more than a second.
            watcher.expect(Kind.PRESENCE, lambda each: each.fields()["event"] == "left")
            asks.set()
            await_true(screen.is_over, "the end")
            self.send("--as", "alice", "nobody", "hello")

            def told():
                failed.seek(0)
                return [json.loads(line)["outcome"] for line in failed]
            await_true(lambda: "no-peer" in told(), "the failure of alice")
            self.assertEqual(told(), ["no-peer"])

    def test_a_signal_ends_it(self):
        screen = self.open()
        os.kill(screen.pid(), signal.SIGTERM)
        await_true(screen.is_over, "the end")


HEAD = [
    "zpost top zpost at tcp://N:N N:N:N",
    "up N s N peers memory N MiB recorder holds N min, N B of N MiB",
    "in N/s out N/s held N failed N/s",
    " 1 Peers   2 Topics   3 Services",
]
FOOT = ["q quit  ? help  s sort  / filter  space pause  Enter look inside"]
PEERS_OF_80 = [
    "  Peer            ▼SENT/s TAKEN/s QUEUED  UNACK FAILED     P50     P99 LATENCY",
    "  bob                   0       0      0      0      0       -       -",
]
PEERS_OF_120 = [
    "  Peer                            ▼SENT/s TAKEN/s QUEUED  UNACK FAILED     P50     P99 "
    "TRAFFIC          LATENCY",
    "  bob                                   0       0      0      0      0       -       -",
]


@unittest.skipUnless(TMUX, "tmux is not here")
class TopSizesTest(ProgramTest):
    """Whole screens, each of a broker of its own: nobody else is on them."""

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)

    @staticmethod
    def without_numbers(lines):
        """Those of the first three lines are another run's."""
        if not lines[0].startswith("zpost top"):
            return lines
        told = [re.sub(" +", " ", re.sub(r"\d[\d.,]*k?", "N", line)) for line in lines[:3]]
        return [line.replace("N KiB of", "N B of") for line in told] + lines[3:]

    def check_screen(self, columns, lines, top, bottom):
        """Nothing stands between `top` and `bottom`."""
        self.start_peer("recv", "--as", "bob")
        screen = Screen(self.broker.endpoint, columns, lines)
        self.addCleanup(screen.close)
        wanted = top + [""] * (lines - len(top) - len(bottom)) + bottom

        def seen():
            return self.without_numbers([line.rstrip() for line in screen.lines()] or [""])
        try:
            await_true(lambda: seen() == wanted, "the screen")
        except AssertionError:
            self.assertEqual(seen(), wanted)
        self.assertTrue(all(len(line) <= columns for line in screen.lines()))

    def test_80_by_24_has_all_columns_and_its_last_line(self):
        self.check_screen(80, 24, HEAD + PEERS_OF_80, FOOT)

    def test_120_by_40_has_the_curves_besides(self):
        self.check_screen(120, 40, HEAD + PEERS_OF_120, FOOT)

    def test_50_by_12_says_what_it_wants(self):
        self.check_screen(50, 12, ["top wants 80×24, here is 50×12; q quits"], [])


class TopOnceTest(ProgramTest):
    def top(self, *arguments, endpoint=None):
        return subprocess.run([INSPECT, "top", *arguments], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=PATIENCE_S, check=False,
                              env=environment(endpoint or self.broker.endpoint))

    def test_once_prints_a_picture(self):
        self.start_peer("recv", "--as", "bob")
        done = self.top("--once", "--delay", "1500ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^zpost top ")
        self.assertRegex(done.stdout, r"(?m)^  bob ")
        self.assertNotIn("\x1b", done.stdout)

    def test_json_is_one_object(self):
        self.start_peer("recv", "--as", "carol")
        done = self.top("--format", "json", "--delay", "1500ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        peers = {peer["name"]: peer for peer in json.loads(done.stdout)["peers"]}
        self.assertEqual(peers["carol"]["state"], "active")

    def test_wrong_uses_say_what_is_wrong(self):
        # Said before it opens the tap, or looks for a broker at all.
        for endpoint in (None, "tcp://127.0.0.1:1"):
            done = self.top(endpoint=endpoint)
            self.assertEqual(done.returncode, USAGE)
            self.assertIn("--once", done.stderr)
        done = self.top("--once", "--filter", "frm = alice")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn('no field "frm"', done.stderr)
        for delay in ("0", "0s", "999ms"):
            done = self.top("--once", "--delay", delay)
            self.assertEqual(done.returncode, USAGE)
            self.assertRegex(done.stderr, r"--delay 0?\S+ is too short .* at least 1s")
        done = self.top("--once", endpoint="tcp://127.0.0.1:1")
        self.assertEqual(done.returncode, UNREACHABLE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
