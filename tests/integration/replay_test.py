#!/usr/bin/python3
"""zpost-inspect replay of the committed captures against real brokers and servers.

ZPOST_BIN names the directory of the programs.
"""
import signal
import unittest

from programs import PATIENCE_S, await_true
from raw_peer import Kind
from replays import CUT, DIFFERENT, NOT_DONE, OFFICE, SAME, TOO_LITTLE, ReplayCase


class SameTest(ReplayCase):
    def test_a_capture_is_a_regression_test_that_the_same_servers_pass(self):
        self.start_office()
        done = self.json_replay(OFFICE, "--speed", "20", "--ignore-field", "body.time")
        self.assert_exit(done, SAME)
        self.assertEqual((done.summary["replayed"], done.summary["different"]), (6, 0))
        self.assertEqual(done.summary["end"], "complete")
        self.assertEqual(sum(done.summary["not_sent"].values()), 1)  # What was refused at once.
        parts = {each["recorded"]: each["part"] for each in done.objects if each["type"] == "peer"}
        self.assertEqual(parts, {"alice": "played", "dana": "played", "bob": "real",
                                 "carol": "real", "@count": "real"})
        for figures in done.summary["latency"].values():
            self.assertGreater(figures["now"]["p50_ns"], 0)

    def test_without_servers_whoever_is_missing_is_stood_in_for(self):
        done = self.json_replay(OFFICE, "--speed", "20", "--stand-in")
        self.assert_exit(done, SAME)
        parts = {each["recorded"]: each["part"] for each in done.objects if each["type"] == "peer"}
        self.assertEqual(parts["alice"], "played")
        for name in ("bob", "carol", "@count", "w1"):
            self.assertEqual(parts[name], "stood in for")

    def test_all_of_it_may_go_as_fast_as_it_is_taken_and_several_times(self):
        done = self.json_replay(OFFICE, "--speed", "max", "--loop", "20", "--stand-in")
        self.assert_exit(done, SAME)
        self.assertEqual(done.summary["replayed"], 120)
        self.assert_adds_up(done.summary, loops=20, passed_over=0, unsent=0)

    def test_of_several_loops_the_figures_are_of_all_of_them(self):
        done = self.replay(OFFICE, "--speed", "max", "--loop", "3", "--stand-in")
        self.assert_exit(done, SAME)
        self.assertRegex(done.stderr, r"replaying 6 envelopes of \S+ s, 3 times, into ")
        self.assertIn("18 envelopes replayed in 3 loops, none different\n", done.stdout)
        self.assertIn("18 of 21 envelopes compared\n", done.stdout)
        self.assertIn("3 not sent, 1 a loop: refused at once", done.stdout)

    def test_only_requests(self):
        self.start_office()
        done = self.json_replay(OFFICE, "--requests", "--speed", "max", "--ignore-field", "time")
        self.assert_exit(done, SAME)
        self.assertEqual(done.summary["replayed"], 4)

    def test_ranges_limits_and_filters_choose(self):
        self.start_office()
        for arguments, count in ((("--limit", "2"), 2), (("kind = send",), 1),
                                 (("--from", "da*"), 2), (("--to", "bob"), 2),
                                 (("--end", "1ms"), 0), (("--start", "2s"), None)):
            done = self.json_replay(OFFICE, "--speed", "max", "--ignore-field", "time", *arguments)
            if count == 0:
                self.assert_exit(done, NOT_DONE)
                self.assertIn("nothing that can be replayed and is wanted", done.stderr)
                continue
            self.assert_exit(done, SAME)
            if count is None:
                self.assertIn(done.summary["replayed"], range(1, 6))
            else:
                self.assertEqual(done.summary["replayed"], count, arguments)

    def test_the_text_says_who_is_who_and_how_it_ended(self):
        self.start_office()
        done = self.replay(OFFICE, "--speed", "max", "--ignore-field", "body.time")
        self.assert_exit(done, SAME)
        self.assertRegex(done.stderr, r"(?m)^  alice +played: sends 4 envelopes$")
        self.assertRegex(done.stderr, r"(?m)^  bob +real$")
        self.assertIn("6 envelopes replayed, none different", done.stdout)
        self.assertIn("6 of 7 envelopes compared\n", done.stdout)
        self.assertIn("1 not sent: refused at once", done.stdout)
        self.assertRegex(done.stdout, r"latency of requests, recorded → now: median .* → ")


class OrderTest(ReplayCase):
    def test_what_followed_an_answer_waits_for_it_at_any_speed(self):
        self.start_office(bob=("sh", "-c", "sleep 0.3; tr a-z A-Z"))
        tail = self.start("zpost-inspect", "tail", "--format", "json", "--from", "alice",
                          "--events", "received,answered")
        tail.await_message("^watching")
        self.assert_exit(self.replay(OFFICE, "--speed", "max", "--ignore-field", "time"), SAME)
        tail.await_object(event="received", to="carol")
        seen = [(each["event"], each["to"]) for each in tail.objects()]
        self.assertEqual(seen[:3], [("received", "bob"), ("answered", "bob"), ("received", "carol")])

    def test_a_reply_of_several_parts_is_compared_part_by_part(self):
        server = self.serve("bob", "seq", "3", options=("--stream",))
        capture, file = self.start_capture("stream.pcapng")
        asked = self.run_program("zpost-peer", "request", "--as", "alice", "--stream", "bob", "go")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.await_objects(file, 1, event="answered")
        self.await_objects(file, 2, event="received", **{"from": "bob"})
        self.assertEqual(capture.stop(), 0)
        self.assert_exit(self.replay(file, "--speed", "max"), SAME)
        server.stop()
        self.assert_exit(self.replay(file, "--speed", "max", "--stand-in"), SAME)
        self.serve("bob", "seq", "4", options=("--stream",))
        done = self.json_replay(file, "--speed", "max")
        self.assert_exit(done, DIFFERENT)
        found = next(each for each in done.objects if each["type"] == "difference")
        self.assertIn("replies", [each["what"] for each in found["differences"]])


class DifferentTest(ReplayCase):
    def test_a_changed_server_is_found_and_the_difference_named(self):
        self.start_office(bob=("cat",))
        done = self.json_replay(OFFICE, "--speed", "max", "--ignore-field", "body.time")
        self.assert_exit(done, DIFFERENT)
        found = sorted((each for each in done.objects if each["type"] == "difference"),
                       key=lambda each: each["from"])
        self.assertEqual([(each["from"], each["to"], each["kind"]) for each in found],
                         [("alice", "bob", "request"), ("dana", "bob", "request")])
        self.assertEqual(found[0]["differences"],
                         [{"what": "body", "recorded": '"HELLO"', "now": '"hello"'}])
        text = self.replay(OFFICE, "--speed", "max", "--to", "bob", "--from", "alice").stdout
        self.assertRegex(text, r'alice → bob request #\d+, .* into the recording\n'
                               r' +body +recorded +"HELLO"\n +now +"hello"\n')

    def test_a_field_that_nobody_ignores_differs(self):
        self.start_office()
        done = self.json_replay(OFFICE, "--speed", "max", "--to", "count")
        self.assert_exit(done, DIFFERENT)
        found = next(each for each in done.objects if each["type"] == "difference")
        self.assertEqual([each["what"] for each in found["differences"]], ["body.time"])

    def test_a_server_that_is_not_there_is_said_before_and_is_a_difference(self):
        done = self.replay(OFFICE, "--speed", "max", "--to", "bob")
        self.assert_exit(done, DIFFERENT)
        self.assertRegex(done.stderr, r"(?m)^  bob +absent: 2 envelopes to it will fail$")
        self.assertIn("no-peer", done.stdout)

    def test_a_silent_server_is_given_up_after_the_timeout(self):
        self.serve("bob", "sleep", "60")
        done = self.json_replay(OFFICE, "--speed", "max", "--to", "bob", "--limit", "1",
                                "--timeout", "300ms")
        self.assert_exit(done, DIFFERENT)
        found = next(each for each in done.objects if each["type"] == "difference")
        self.assertRegex(found["differences"][0]["now"], "timed-out|expired")


class NamesTest(ReplayCase):
    def test_senders_play_under_other_names(self):
        self.start_office()
        tail = self.start("zpost-inspect", "tail", "--format", "json", "--to", "bob")
        tail.await_message("^watching")
        done = self.replay(OFFICE, "--speed", "max", "--to", "bob", "--rename", "*=again-*")
        self.assert_exit(done, SAME)
        tail.await_object(event="received", **{"from": "again-alice"})
        tail.await_object(event="received", **{"from": "again-dana"})

    def test_what_a_peer_sent_who_is_here_is_left_to_it(self):
        self.start_office()
        self.start_recv("alice")
        done = self.json_replay(OFFICE, "--speed", "max")
        self.assert_exit(done, TOO_LITTLE)  # Of 7 envelopes.
        self.assertEqual(done.summary["replayed"], 2)
        self.assertEqual(done.summary["not_sent"]["left to its sender, who is at the broker"], 4)
        self.start_recv("dana")
        done = self.replay(OFFICE, "--speed", "max")
        self.assert_exit(done, NOT_DONE)
        self.assertIn("--rename", done.stderr)
        done = self.replay(OFFICE, "--speed", "max", "--rename", "*=again-*",
                           "--ignore-field", "body.time")
        self.assert_exit(done, SAME)

    def test_beside_the_real_ones_everybody_can_be_stood_in_for_under_another_name(self):
        self.start_office(bob=("cat",))
        done = self.json_replay(OFFICE, "--speed", "max", "--stand-in", "--rename", "*=again-*",
                                "--to", "bob")
        self.assert_exit(done, SAME)
        bob = next(each for each in done.objects if each.get("recorded") == "bob")
        self.assertEqual((bob["name"], bob["part"]), ("again-bob", "stood in for"))

    def test_requests_go_to_another_server(self):
        self.serve("bob2", "tr", "a-z", "A-Z")
        done = self.replay(OFFICE, "--speed", "max", "--to", "bob", "--redirect", "bob=bob2")
        self.assert_exit(done, SAME)


class AudienceTest(ReplayCase):
    CHOICE = ("--speed", "max", "kind = publish")

    def test_a_subscriber_that_is_missing_is_a_difference(self):
        done = self.json_replay(OFFICE, *self.CHOICE)
        self.assert_exit(done, DIFFERENT)
        self.assertEqual(self.differences(done),
                         [{"what": "subscribers", "recorded": "1", "now": "0"}])

    def test_as_many_are_stood_in_for_as_are_missing(self):
        done = self.json_replay(OFFICE, *self.CHOICE, "--stand-in")
        self.assert_exit(done, SAME)
        self.assertIn({"type": "subscribers", "part": "stood in for", "count": 1}, done.objects)
        self.start("zpost-peer", "subscribe", "--as", "listener", "lab/*")
        self.await_routed("listener", "--topic", "lab/oven")
        self.assert_exit(self.json_replay(OFFICE, *self.CHOICE, "--stand-in"), SAME)

    def test_their_number_follows_the_recording(self):
        capture, file = self.start_capture("fan.pcapng")
        listeners = []
        for count in (0, 1, 2):
            while len(listeners) < count:
                listeners.append(self.raw_peer(f"l{len(listeners)}"))
                listeners[-1].interest(Kind.SUBSCRIBE, "news")
            self.assertEqual(self.run_program("zpost-peer", "publish", "--as", "alice", "news",
                                              str(count)).returncode, 0)
        listeners.pop().goodbye()
        await_true(lambda: self.run_program("zpost-peer", "who", "l1").returncode != 0, "l1 to go")
        self.assertEqual(self.run_program("zpost-peer", "publish", "--as", "alice", "news",
                                          "one again").returncode, 0)
        queues = [each.get("queues", 0) for each in self.await_objects(
            file, 4, event="forwarded", to="news")]
        self.assertEqual(queues, [0, 1, 2, 1])
        self.assertEqual(capture.stop(), 0)
        listeners.pop().goodbye()
        await_true(lambda: self.run_program("zpost-peer", "who", "l0").returncode != 0, "l0 to go")
        self.assert_exit(self.json_replay(file, "--speed", "max", "--stand-in", "--loop", "3"), SAME)
        done = self.json_replay(file, "--speed", "max")
        self.assert_exit(done, DIFFERENT)
        self.assertEqual([each["recorded"] for each in self.differences(done)], ["1", "2", "1"])


class SessionTest(ReplayCase):
    def changes(self, objects, name):
        # A hello can overtake the goodbye of the connection before: it is refused, and tried again.
        return [each["change"] for each in objects
                if each["event"] == "session" and each["peer"] == name
                and each["change"] != "refused"]

    def test_peers_come_and_go_as_they_did(self):
        self.start_office()
        tail = self.start("zpost-inspect", "tail", "--format", "json", "--events", "session")
        tail.await_message("^watching")
        self.assert_exit(self.replay(OFFICE, "--speed", "max", "--ignore-field", "time"), SAME)
        for name, joined in (("alice", 4), ("dana", 2)):
            # Dana comes once more, and sends nothing that can be sent again.
            recorded = self.changes(self.objects(OFFICE), name)[:2 * joined]
            self.assertEqual(recorded, ["joined", "over"] * joined)
            await_true(lambda: len(self.changes(tail.objects(), name)) >= len(recorded), name)
            self.assertEqual(self.changes(tail.objects(), name)[:len(recorded)], recorded)

    def record_a_loss(self):
        """Bob leaves with alice's request in hand, comes again, and is sent something."""
        capture, file = self.start_capture("loss.pcapng")
        bob, alice = self.raw_peer("bob"), self.raw_peer("alice")
        alice.send("bob", "and?", kind=Kind.REQUEST)
        bob.expect(Kind.REQUEST)
        bob.goodbye()
        self.await_objects(file, 1, event="answered", outcome="lost")
        bob = self.raw_peer("bob")
        alice.send("bob", "never mind")
        bob.expect(Kind.SEND)
        self.await_objects(file, 2, event="delivered")
        alice.goodbye()
        self.await_objects(file, 1, event="session", change="over", peer="alice")
        self.assertEqual(capture.stop(), 0)
        bob.goodbye()
        await_true(lambda: self.run_program("zpost-peer", "who", "bob").returncode != 0, "bob to go")
        return file

    def test_whoever_left_with_a_request_in_hand_does_so_again(self):
        file = self.record_a_loss()
        for speed in ("max", "1", "50"):
            done = self.json_replay(file, "--stand-in", "--speed", speed)
            self.assert_exit(done, SAME)
            self.assertEqual((done.summary["compared"], done.summary["wanted"]), (2, 2))
        done = self.json_replay(file, "--stand-in", "--speed", "max", "--loop", "10")
        self.assert_exit(done, SAME)
        self.assertEqual(done.summary["compared"], 20)

    def test_a_request_that_was_cancelled_is_cancelled_again(self):
        capture, file = self.start_capture("cancel.pcapng")
        bob, alice = self.raw_peer("bob"), self.raw_peer("alice")
        request = alice.send("bob", "and?", kind=Kind.REQUEST)
        bob.expect(Kind.REQUEST)
        alice.control(Kind.CANCEL, id=request)
        alice.pump_until(lambda: request in alice.failures, "that it is cancelled")
        alice.send("bob", "never mind")
        bob.expect(Kind.SEND)
        self.await_objects(file, 1, event="answered", outcome="cancelled")
        self.await_objects(file, 2, event="delivered")
        self.assertEqual(capture.stop(), 0)
        for peer in (bob, alice):
            peer.goodbye()
            await_true(lambda name=peer.name: self.run_program("zpost-peer", "who", name).returncode
                       != 0, f"{peer.name} to go")
        done = self.json_replay(file, "--stand-in", "--speed", "max")
        self.assert_exit(done, SAME)
        self.assertEqual(done.summary["compared"], 2)
        self.serve("bob", "cat")
        done = self.json_replay(file, "--speed", "max")
        recorded = [each["recorded"] for each in self.differences(done)]
        # It may answer first.
        self.assertIn(recorded, ([], ["cancelled"]))


class LittleTest(ReplayCase):
    def record(self, *arguments):
        receiver = self.start_recv("bob")
        capture, file = self.start_capture("little.pcapng", *arguments)
        for body in ("short", "a body that is longer than what is shown of it" * 3,
                     "and another one that is longer than what is shown of it" * 3):
            self.assertEqual(self.send("bob", body).returncode, 0)
        self.await_objects(file, 3, event="delivered")
        self.assertEqual(capture.stop(), 0)
        receiver.stop()
        return file

    def test_a_capture_that_is_mostly_cut_does_not_pass(self):
        file = self.record("--snap", "60")
        done = self.json_replay(file, "--speed", "max", "--stand-in")
        self.assert_exit(done, TOO_LITTLE)
        self.assertEqual((done.summary["verdict"], done.summary["wanted"],
                          done.summary["compared"]), ("too-little", 3, 1))
        text = self.replay(file, "--speed", "max", "--stand-in").stdout
        self.assertIn("1 of 3 envelopes compared: too little to say that all is as recorded\n", text)
        self.assertIn("2 not sent: the capture has only the beginning of the body\n", text)
        self.assert_exit(self.replay(file, "--speed", "max", "--stand-in", "--at-least", "33"), SAME)
        self.assert_exit(self.replay(file, "--speed", "max"), DIFFERENT)

    def test_a_capture_without_bodies_does_not_pass(self):
        done = self.replay(self.record("--headers"), "--speed", "max", "--stand-in")
        self.assert_exit(done, TOO_LITTLE)
        self.assertIn("none of 3 envelopes compared: too little", done.stdout)
        self.assertIn("3 not sent: the capture does not have the body\n", done.stdout)
        self.assertIn("nothing of what is wanted can be replayed", done.stderr)

    def test_who_wants_all_of_it_compared_can_say_so(self):
        done = self.replay(OFFICE, "--speed", "max", "--stand-in", "--at-least", "100")
        self.assert_exit(done, TOO_LITTLE)
        self.assert_exit(self.replay(OFFICE, "--speed", "max", "--stand-in", "--at-least", "100",
                                     "not to = nobody"), SAME)
        self.assert_exit(self.replay(OFFICE, "--at-least", "0"), NOT_DONE)


class TroubleTest(ReplayCase):
    def test_a_cut_body_is_named_and_not_sent(self):
        self.serve("bob", "tr", "a-z", "A-Z")
        done = self.json_replay(CUT, "--speed", "max")
        self.assert_exit(done, SAME)
        left = [each for each in done.objects if each["type"] == "not-sent"]
        self.assertEqual([(each["from"], each["to"]) for each in left], [("alice", "bob")])
        self.assertIn("only the beginning", left[0]["why"])
        self.assertEqual(done.summary["replayed"], 1)

    def test_a_broker_that_dies_meanwhile_is_told(self):
        self.start_office()
        replay = self.start("zpost-inspect", "replay", str(OFFICE), "--speed", "0.01",
                            "--format", "json")
        replay.await_object(type="peer", recorded="dana")
        self.await_here("alice")
        self.broker.stop(signal.SIGKILL)
        self.assertEqual(replay.process.wait(PATIENCE_S), NOT_DONE)
        replay.await_message("connection lost.*the replay ends here")
        self.assertEqual(replay.await_object(type="summary")["end"], "broker-lost")

    def test_a_signal_ends_it_with_a_report(self):
        self.start_office()
        replay = self.start("zpost-inspect", "replay", str(OFFICE), "--speed", "0.01")
        replay.await_message("^  dana")
        self.await_here("alice")
        self.assertEqual(replay.stop(signal.SIGINT), 130)
        replay.await_line("replayed, none different")
        replay.await_line(r"^\d not sent any more$")

    def test_loops_that_never_began_count_as_not_sent(self):
        self.start_office()
        replay = self.start("zpost-inspect", "replay", str(OFFICE), "--speed", "0.01", "--loop", "3",
                            "--format", "json")
        replay.await_object(type="peer", recorded="dana")
        self.await_here("alice")
        self.assertEqual(replay.stop(signal.SIGINT), 130)
        summary = replay.await_object(type="summary")
        self.assert_adds_up(summary, loops=3, wanted=21)
        self.assertGreaterEqual(summary["unsent"], 12)

    def test_what_cannot_be_done_exits_2_and_says_why(self):
        no_file = self.replay(self.folder / "none.pcapng")
        self.assert_exit(no_file, NOT_DONE)
        self.assertIn("none.pcapng", no_file.stderr)
        damaged = self.folder / "damaged.pcapng"
        damaged.write_bytes(OFFICE.read_bytes()[:1000])
        done = self.replay(damaged)
        self.assert_exit(done, NOT_DONE)
        self.assertIn("--repair", done.stderr)
        nobody = self.replay(OFFICE, endpoint="tcp://127.0.0.1:1")
        self.assert_exit(nobody, NOT_DONE)
        self.assertIn("nothing listens there", nobody.stderr)
        for arguments, complaint in ((["--speed", "fast"], "fast"), (["--speed", "0"], "above 0"),
                                     (["--rename", "alice"], "OLD=NEW"), (["frm = x"], "frm"),
                                     (["--ignore-field", "body."], "body."), (["--step"], "terminal")):
            done = self.replay(OFFICE, *arguments)
            self.assert_exit(done, NOT_DONE)
            self.assertIn(complaint, done.stderr)


if __name__ == "__main__":
    unittest.main()
