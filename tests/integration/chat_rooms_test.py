#!/usr/bin/python3
"""Rooms in zpost-peer chat, on terminals and through pipes.

ZPOST_BIN names the directory of the programs.
"""
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from chats import ChatsTest
from programs import NOT_DELIVERED, PATIENCE_S, PEER, USAGE, await_true, lines_of, stop


class RoomsTest(ChatsTest):
    def test_three_talk_in_a_room_and_see_each_other_come_and_go(self):
        ada = self.chat_in("r1", "ada")
        ada.expect("you are in #r1; nobody else is here")
        ada.expect("#r1>")
        bea = self.chat("bea")
        bea.type("/join r1\r")
        bea.expect("you are in #r1; here: ada")
        ada.expect("bea joined #r1")
        cleo = self.chat("cleo", "--to", "#r1")
        cleo.expect("you are in #r1; here: ada, bea")
        bea.expect("cleo joined #r1")
        ada.expect("cleo joined #r1")
        ada.type("hello áll\r")
        ada.expect(r"\d\d:\d\d:\d\d #r1 ada: hello áll ✓2")
        bea.expect(r"\d\d:\d\d:\d\d #r1 ada: hello áll\n")
        cleo.expect("#r1 ada: hello áll\n")
        cleo.type("/leave\r")
        cleo.expect("you left #r1; you talk with nobody yet")
        ada.expect("cleo left #r1")
        self.assertEqual(self.end_chat(bea), 0)
        ada.expect("bea left #r1")

    def test_a_line_in_an_empty_room_can_be_said_again_to_the_first_who_comes(self):
        dan = self.chat_in("r2", "dan")
        dan.type("anybody?\r")
        dan.expect("#r2 dan: anybody\\? ✗ not delivered: nobody else is here — /retry")
        eva = self.chat_in("r2", "eva")
        dan.expect("eva joined #r2; 1 line not delivered: /retry sends again")
        dan.type("/retry\r")
        dan.expect("#r2 dan: anybody\\? ✓1")
        eva.expect("#r2 dan: anybody")

    def test_lines_of_other_rooms_wait_and_are_marked_in_the_prompt(self):
        fay = self.chat_in("r3 r4", "fay")
        fay.expect("you talk in #r3")
        gil = self.chat_in("r4 r3", "gil")
        fay.expect("gil joined #r3")
        gil.type("one\r")
        fay.expect(r"#r3 \[#r4 1\]>")
        gil.type("two\r")
        fay.expect(r"#r3 \[#r4 2\]>")
        gil.type("/to #r3\r")
        gil.type("here\r")
        fay.expect("#r3 gil: here")
        fay.type("/rooms\r")
        fay.expect("#r3  here: gil\n#r4  here: gil; 2 unread")
        fay.type("/to #r4\r")
        fay.expect("you are in #r4; here: gil")
        fay.expect("#r4 gil: one\n.*#r4 gil: two\n")
        fay.expect("#r4>")
        gil.type("three\r")
        fay.expect(r"#r4 \[#r3 1\]>")
        self.assertEqual(self.end_chat(fay), 0)
        fay.expect("not read: #r3 1")

    def test_lines_to_a_person_are_shown_in_any_room_and_one_can_be_said_aside(self):
        hal = self.chat_in("r5", "hal")
        ina = self.chat_in("r5", "ina")
        hal.expect("ina joined #r5")
        ina.type("/msg hal psst\r")
        ina.expect("ina → hal: psst ✓")
        hal.expect("ina → you: psst")
        hal.expect("to answer: /to ina, or /msg ina TEXT")
        hal.expect("#r5>")
        hal.type("/msg ina\r")
        hal.expect("you talk with ina now")
        hal.type("yes?\r")
        ina.expect("hal → you: yes")

    def test_a_room_without_its_mark_is_hinted_at(self):
        kim = self.chat_in("r10", "kim")
        kim.expect("#r10>")
        kim.type("/to r10\r")
        kim.expect("you talk with r10 now; nobody of that name is here; the room is #r10: /to #r10")
        kim.type("/msg r10 hello\r")
        kim.expect("nobody named r10 is here; the room is #r10: /to #r10, then say it")
        kim.type("/to elsewhere\r")
        kim.expect("you talk with elsewhere now; nobody of that name is here\n")

    def test_leaving_goes_back_to_whom_one_talked_with_before(self):
        jim = self.chat("jim", "--to", "kay")
        jim.type("/join r6\r")
        jim.expect("#r6>")
        jim.type("/leave\r")
        jim.expect("you left #r6; you talk with kay")
        jim.expect("to kay>")

    def test_who_says_in_which_rooms_people_are(self):
        lea = self.chat_in("r7", "lea", "--display", "Lea L.")
        mo = self.chat_in("r7 r8", "mo")
        lea.expect("mo joined #r7")
        lea.type("/who #r8\r")
        lea.expect("mo  since .* ago  #r7 #r8")
        lea.type("/who #r9\r")
        lea.expect("nobody else is in #r9")
        lea.type("/who mo\r")
        lea.expect("mo  since")
        lea.type("/who nobody\r")
        lea.expect("nobody named nobody is here")
        lea.type("/rooms\r")
        # Who was killed in another test may still be in a room: the list may fill several lines.
        lea.expect(r"others, and how many are there: [^>]*#r8\s+1")
        mo.type("/who lea\r")
        mo.expect(r"lea \(Lea L\.\)  since .*#r7")
        self.assertEqual(self.end_chat(mo), 0)

    def test_wrong_rooms_are_named_with_the_limit(self):
        ned = self.chat("ned")
        for line, answer in (("/join", "which one\\? /join ROOM"),
                             ("/join a/b", '"a/b" is not a room: letters.*at most 64'),
                             ("/leave", "which one\\? /leave ROOM"),
                             ("/leave nowhere", "you are not in #nowhere"),
                             ("/to #nowhere", "you are not in #nowhere: /join nowhere"),
                             ("/to #", '"" is not a room'),
                             ("/msg", "whom\\? /msg NAME TEXT"),
                             ("/msg a/b hello", '"a/b" is not a name')):
            ned.type(line + "\r")
            ned.expect(answer)
        for arguments in (("--join", "a b"), ("--to", "#a/b"), ("--to", "a/b")):
            done = self.run_peer("chat", *arguments)
            self.assert_exit(done, USAGE)
            self.assertIn(arguments[1].lstrip("#"), done.err)

    def test_too_many_rooms_are_refused_with_the_limit(self):
        rooms = [argument for i in range(51) for argument in ("--join", f"m{i}")]
        done = self.run_peer("chat", "--as", "ole", *rooms)
        self.assert_exit(done, 0)
        self.assertIn("not joined: you are in 50 rooms, the limit is 50", done.out.decode())
        self.assertEqual(done.out.decode().count("not joined"), 1)

    def test_too_long_names_of_rooms_are_refused_with_the_limit(self):
        rooms = [argument for i in range(17) for argument in ("--join", f"{i:064}")]
        done = self.run_peer("chat", "--as", "pia", *rooms)
        self.assert_exit(done, 0)
        self.assertRegex(done.out.decode(), "not joined: the names of your rooms are too long "
                                            "together: .*the limit is 1024")


class TabTest(ChatsTest):
    def test_commands_rooms_and_names_are_completed(self):
        quentin = self.chat_in("t1-development t1-operations", "quentin")
        rosa = self.chat("rosa")
        rosa.type("/jo\tt1-dev\t\r")
        rosa.expect("you are in #t1-development; here: quentin")
        rosa.type("/msg que\tfirst\r")
        rosa.expect("rosa → quentin: first ✓")
        rosa.type("ask @que")
        rosa.expect("ask @que")
        rosa.type("\t")
        rosa.expect("ask @quentin|ntin ")
        rosa.type("please\r")
        quentin.expect("#t1-development rosa: ask @quentin please")

    def test_a_second_tab_lists_what_is_possible_and_keeps_the_line(self):
        sam = self.chat_in("t2-abc t2-abd", "sam")
        sam.type("/to #t2\t")
        sam.expect("-ab")
        sam.type("\t")
        sam.expect("\a")
        sam.type("\t")
        sam.expect("#t2-abc  #t2-abd")
        sam.expect("#t2-abc> */to #t2-ab")
        sam.type("d\r")
        sam.expect("#t2-abd>")

    def test_tabs_of_pasted_text_stay(self):
        tina = self.chat_in("t3", "tina")
        ugo = self.chat_in("t3", "ugo")
        tina.expect("ugo joined #t3")
        tina.type("ugo\ttabbed\r")
        ugo.expect("#t3 tina: ugo +tabbed")


class ScreensTest(ChatsTest):
    def test_a_narrow_terminal_and_a_resize_lose_nothing(self):
        vic = self.chat_in("s1 s2", "vic", columns=30)
        wes = self.chat_in("s2 s1", "wes")
        vic.expect("wes joined #s1")
        wes.type("unread\r")
        vic.expect(r"#s1 \[\+1\]>")
        vic.type("a line that is much longer than thirty columns, ")
        vic.resize(80)
        vic.expect(r"#s1 \[#s2 1\]> *a line that is much longer")
        vic.type("and goes on\r")
        wes.type("/to #s1\r")
        wes.expect("#s1 vic: a line that is much longer than thirty columns, and goes on")


class PipesTest(ChatsTest):
    def piped(self, name, *arguments):
        process = subprocess.Popen([PEER, "chat", "--as", name, *arguments], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment())
        self.addCleanup(self.end, process)
        return process

    def read_until(self, process, word):
        lines = []
        patience = threading.Timer(PATIENCE_S, process.kill)
        patience.start()
        try:
            while not lines or word not in lines[-1]:
                lines.append(process.stdout.readline().decode())
                self.assertTrue(lines[-1], f"ended without {word!r}: {lines}")
        finally:
            patience.cancel()
        return lines

    def test_a_pipe_shows_every_line_with_its_room(self):
        piped = self.piped("xeno", "--join", "p1", "--join", "p2")
        self.read_until(piped, "you talk in #p1")
        await_true(lambda: self.rooms_of("xeno") == "p1 p2", "xeno is in #p1 and #p2")
        for room in ("p1", "p2"):
            done = self.run_peer("chat", "--as", f"yan-{room}", "--join", room,
                                 stdin=f"in {room}\n".encode())
            self.assert_exit(done, 0)
            self.assertIn(f"#{room} yan-{room}: in {room} ✓1", done.out.decode())
        self.read_until(piped, "#p1 yan-p1: in p1")
        self.read_until(piped, "#p2 yan-p2: in p2")

    def test_a_pipe_into_an_empty_room_exits_3(self):
        done = self.run_peer("chat", "--as", "zeb", "--join", "p3", stdin=b"x\n")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("nobody else is here", done.out.decode())

    def test_json_carries_the_room_and_the_count(self):
        piped = self.piped("abe", "--join", "p4", "--format", "json")
        self.read_until(piped, "you are in #p4")
        await_true(lambda: self.rooms_of("abe") == "p4", "abe is in #p4")
        done = self.run_peer("chat", "--as", "bud", "--join", "p4", "--format", "json", stdin=b"hi\n")
        self.assert_exit(done, 0)
        sent, = [line for line in lines_of(done.out) if line["event"] == "sent"]
        self.assertEqual((sent["room"], sent["count"], sent["outcome"]), ("p4", 1, "delivered"))
        self.assertNotIn("to", sent)
        heard = lines_of(self.read_until(piped, '"received"')[-1])[0]
        self.assertEqual((heard["room"], heard["from"], heard["text"]), ("p4", "bud", "hi"))
        self.assertEqual(lines_of(self.read_until(piped, "left #p4")[-1])[0]["room"], "p4")

    def test_last_words_are_heard_before_their_speaker_leaves(self):
        piped = self.piped("lee", "--join", "p7")
        self.read_until(piped, "you are in #p7")
        await_true(lambda: self.rooms_of("lee") == "p7", "lee is in #p7")
        piped.send_signal(signal.SIGSTOP)  # So that words and leaving come together.
        try:
            self.assert_exit(self.run_peer("chat", "--as", "mia", "--join", "p7", stdin=b"bye\n"), 0)
        finally:
            piped.send_signal(signal.SIGCONT)
        told = "".join(self.read_until(piped, "mia left #p7"))
        self.assertIn("#p7 mia: bye\n", told)

    def test_last_words_are_heard_before_their_speaker_leaves_the_room(self):
        piped = self.piped("ned", "--join", "p8")
        self.read_until(piped, "you are in #p8")
        await_true(lambda: self.rooms_of("ned") == "p8", "ned is in #p8")
        ona = self.piped("ona", "--join", "p8")
        for _ in range(20):
            ona.stdin.write(b"/to #p8\nbye\n/leave\n/join p8\n")
            ona.stdin.flush()
            told = "".join(self.read_until(piped, "ona left #p8"))
            self.assertIn("#p8 ona: bye\n", told)

    def test_a_room_is_a_topic_for_everybody_else(self):
        cal = self.chat_in("p5", "cal")
        self.assert_exit(self.run_peer("publish", "--as", "robot", "room/p5", "beep"), 0)
        cal.expect("#p5 robot: beep")
        subscriber = self.start_peer("subscribe", "--as", "logger", "room/**", "--count", "1", "--raw")
        await_true(lambda: self.run_peer("publish", "--need-subscriber", "room/p6", "").returncode == 0,
                   "a subscriber")
        self.assertEqual(self.result(subscriber)[0], 0)


class GapTest(ChatsTest):
    def test_missed_lines_are_told_in_the_room(self):
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder) / "broker.toml"
            # Of what is on its way a chat bounds the frames, each of which may have many lines.
            config.write_text('[limits]\ntopic_queue = "64KiB"\nwindow = "64KiB"\n')
            self.broker.stop()
            self.broker.start("--config", str(config))
        dot = self.chat_in("g1", "dot")
        dot.process.send_signal(signal.SIGSTOP)
        text = b"".join(b"line %d %s\n" % (i, b"x" * 1000) for i in range(5000))
        self.assert_exit(self.run_peer("publish", "--lines", "room/g1", stdin=text), 0)
        dot.process.send_signal(signal.SIGCONT)
        dot.expect(r"#g1 [\d,]+ lines missed here: more was said than this chat could take")
        dot.expect("line 4999 x")


class FullTest(ChatsTest):
    def test_a_room_that_the_broker_refuses_is_left_again(self):
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder) / "broker.toml"
            config.write_text("[limits]\nsubscriptions = 1\n")
            self.broker.stop()
            self.broker.start("--config", str(config))
        ivy = self.chat_in("f1", "ivy")
        ivy.type("/join f2\r")
        ivy.expect("you are not in #f2: full.*; you are in #f1")
        ivy.expect("#f1>")
        await_true(lambda: self.rooms_of("ivy") == "f1", "ivy is in f1 alone")


class RestartTest(ChatsTest):
    def test_a_line_said_before_the_others_are_back_names_who_is_not(self):
        isa = self.chat_in("b9", "isa")
        jon = self.chat_in("b9", "jon")
        isa.expect("jon joined #b9")
        self.broker.stop(signal.SIGKILL)
        isa.expect("connection lost")
        stop(jon.process, signal.SIGKILL)
        self.broker.start()
        isa.expect("connected again")
        isa.type("anybody?\r")
        isa.expect("anybody\\? ✗ not delivered: jon is not back yet — /retry")
        isa.expect("jon left")

    def subscriptions_of(self, name):
        peers = lines_of(self.run_peer("who", "--format", "json", name).out)
        return peers[0]["subscriptions"] if peers else 0

    def test_rooms_go_on_with_another_run_of_the_broker(self):
        eli = self.chat_in("b1 b2", "eli")
        fox = self.chat_in("b1 b2", "fox")
        gus = self.chat_in("b1", "gus")
        eli.expect("gus joined #b1")
        self.broker.stop(signal.SIGKILL)
        eli.expect("connection lost")
        stop(gus.process, signal.SIGKILL)
        self.broker.start()
        for terminal in (eli, fox):
            terminal.expect("connected again; the broker was started anew")
        for name in ("eli", "fox"):
            await_true(lambda: self.subscriptions_of(name) == 2, f"{name} hears both rooms again")
        fox.type("still here?\r")
        fox.expect("still here\\? ✓1")
        # Gus has some seconds to come back, of a busy machine's time.
        eli.expect("(?s)#b1 fox: still here.*gus left|gus left.*#b1 fox: still here")
        eli.type("/who #b2\r")
        eli.expect("fox  since .*#b1 #b2")
        fox.type("/to #b2\r")
        fox.type("there, too\r")
        eli.expect(r"#b1 \[#b2 1\]>")
        new = self.chat_in("b1", "hex")
        new.expect("you are in #b1; here: eli, fox")
        eli.expect("hex joined #b1")
        self.assertNotIn("fox left", eli.text)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    unittest.main()
