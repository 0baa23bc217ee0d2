"""What tests of zpost-inspect replay share: the committed captures, and who answered when they were made.

In captures/office.pcapng alice and dana had requests answered by bob (`zpost-peer serve --as bob --
tr a-z A-Z`) and refused by carol (`zpost-peer recv --as carol`), who was sent something, a call done
by a worker of the service count, and published a temperature, to which somebody had subscribed.
cut.pcapng has a request whose body is cut, and one that is whole.
"""
import json
import pathlib

from capture_test import CaptureCase
from programs import await_true
from raw_peer import RawPeer

CAPTURES = pathlib.Path(__file__).resolve().parent / "captures"
OFFICE, CUT = CAPTURES / "office.pcapng", CAPTURES / "cut.pcapng"
SAME, DIFFERENT, NOT_DONE, TOO_LITTLE = 0, 1, 2, 3
COUNT = 'printf "{\\"letters\\":%s,\\"time\\":%s}" "$(wc -c)" "$(date +%s%N)"'


class ReplayCase(CaptureCase):
    def replay(self, *arguments, **more):
        done = self.run_program("zpost-inspect", "replay", *map(str, arguments), **more)
        done.objects = []
        if "json" in arguments:
            done.objects = [json.loads(line) for line in done.stdout.splitlines()]
        done.summary = next((each for each in done.objects if each["type"] == "summary"), None)
        return done

    def json_replay(self, *arguments):
        return self.replay(*arguments, "--format", "json")

    def assert_adds_up(self, summary, **wanted):
        """All that was wanted has its place in the figures; these are as wanted."""
        places = [summary[key] for key in ("replayed", "unfinished", "passed_over", "unsent")]
        self.assertEqual(summary["wanted"], sum(places) + sum(summary["not_sent"].values()), summary)
        self.assertEqual({key: summary[key] for key in wanted}, wanted)

    def await_here(self, name):
        await_true(lambda: self.run_program("zpost-peer", "who", name).returncode == 0, name)

    def serve(self, name, *command, options=()):
        server = self.start("zpost-peer", "serve", "--as", name, *options, "--", *command)
        self.await_here(name)
        return server

    def start_office(self, bob=("tr", "a-z", "A-Z")):
        """All who answered when the capture was made."""
        self.start_recv("carol")
        self.start("zpost-peer", "subscribe", "--as", "listener", "lab/**")
        self.await_routed("listener", "--topic", "lab/oven")
        self.serve("w1", "sh", "-c", COUNT,
                   options=("--service", "count", "--content-type", "application/json"))
        self.await_routed("w1", "--service", "count")
        return self.serve("bob", *bob)

    def raw_peer(self, name):
        peer = RawPeer(self.endpoint, name, abilities=("acks",), acks=True)
        self.addCleanup(peer.disconnect)
        peer.join(wait_for_name=True)
        return peer

    def differences(self, done):
        return [each for found in done.objects if found["type"] == "difference"
                for each in found["differences"]]

    def assert_exit(self, done, code):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
