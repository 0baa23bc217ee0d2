#!/usr/bin/python3
"""zpost-peer chat as people use it, on terminals of their own and through pipes.

ZPOST_BIN names the directory of the programs.
"""
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import termios
import unittest

from chats import ChatsTest, Terminal
from programs import FAILED, NOT_DELIVERED, PATIENCE_S, PEER, ProgramTest, await_true, stop


class ChatTest(ChatsTest):
    def test_two_talk_with_delivered_marks_and_see_each_other_come_and_go(self):
        anna = self.chat("anna", "--to", "ben")
        anna.expect("ben, who is not here yet")
        ben = self.chat("ben")
        anna.expect("ben is here")
        anna.type("hello bén\r")
        anna.expect(r"\d\d:\d\d:\d\d anna: hello bén ✓")
        ben.expect(r"\d\d:\d\d:\d\d anna: hello bén\n")
        ben.expect("you talk with anna now")
        ben.expect("to anna>")
        ben.type("hello anna\r")
        ben.expect("ben: hello anna ✓")
        anna.expect("ben: hello anna")
        self.assertEqual(self.end_chat(ben), 0)
        anna.expect("ben left")
        self.assertEqual(self.end_chat(anna), 0)

    def test_a_line_to_an_absent_person_stays_undelivered_until_retried(self):
        carl = self.chat("carl", "--to", "dora", columns=100)
        carl.type("are you there?\r")
        carl.expect("carl: are you there\\? ✗ not delivered: nobody named dora is here — /retry")
        dora = self.chat("dora")
        carl.expect("dora is here; 1 line not delivered: /retry")
        carl.type("/retry\r")
        carl.expect("carl: are you there\\? ✓")
        dora.expect("carl: are you there\\?")
        carl.type("/retry\r")
        carl.expect("everything said was delivered")

    def test_commands_and_unknown_ones_are_answered(self):
        emil = self.chat("emil")
        emil.type("to whom?\r")
        emil.expect("not sent: you talk with nobody yet")
        emil.type("/help\r")
        for word in ("/to NAME", "/who", "/retry", "/quit"):
            emil.expect(word)
        emil.type("/dance\r")
        emil.expect("/dance: there is no such command")
        emil.type("/to not a name\r")
        emil.expect("is not a name")
        emil.type("/to fritz\r")
        emil.expect("you talk with fritz now")
        self.chat("fritz")
        emil.expect("fritz is here")
        emil.type("/who\r")
        emil.expect("fritz  since")
        emil.type("\x04")
        await_true(lambda: emil.process.poll() is not None, "Ctrl-D ends the chat")
        self.assertEqual(emil.process.poll(), 0)

    def test_who_talks_with_oneself_is_not_called_absent(self):
        talk = b"hello me\n/to dora3\n/to eve3\n/to eve3\n/msg eve3 aside\n/who eve3\n"
        done = self.run_peer("chat", "--as", "eve3", "--to", "eve3", "--join", "eve3", stdin=talk)
        self.assert_exit(done, 0)
        text = done.out.decode()
        for words in ("you talk with eve3, which is you\n", "you talk with eve3 now, which is you",
                      "you talk with dora3 now; nobody of that name is here\n", "eve3 is you\n"):
            self.assertIn(words, text)
        for words in ("eve3, who is not here", "nobody named eve3"):
            self.assertNotIn(words, text)

    def test_what_is_typed_survives_an_incoming_line_and_can_be_edited(self):
        gina = self.chat("gina", "--to", "hugo")
        hugo = self.chat("hugo", "--to", "gina")
        gina.expect("hugo is here")
        gina.type("half a thoughx")
        gina.expect("half a thoughx")
        hugo.type("interrupting\r")
        gina.expect("hugo: interrupting")
        gina.expect("to hugo> *half a thoughx")
        gina.type("\x7ft, finished\r")
        hugo.expect("gina: half a thought, finished")

    def test_ctrl_c_clears_what_is_typed_and_then_leaves(self):
        udo = self.chat("udo")
        wim = self.chat("wim", "--to", "udo")
        wim.expect("to udo>")
        wim.type("not this")
        wim.expect("not this")
        wim.type("\x03")
        wim.expect("what you typed is cleared; Ctrl-C again leaves")
        wim.type("but this\r")
        wim.expect("wim: but this ✓")
        udo.expect("wim: but this")
        wim.type("\x03")
        await_true(lambda: wim.process.poll() is not None, "Ctrl-C ends the chat")

    def test_words_are_not_cut_at_the_edge_of_the_screen(self):
        xia = self.chat("xia", "--to", "yan")
        yan = self.chat("yan", "--to", "xia")
        xia.expect("yan is here")
        xia.type("no word of this line is cut where the screen of eighty columns comes to its end\r")
        for terminal in (xia, yan):
            terminal.expect(r"xia: no word of this line is cut where the screen of eighty columns\n {14}comes to its end")

    def test_history_is_kept_for_the_next_time(self):
        ida = self.chat("ida", "--to", "jan")
        ida.type("remember me\r")
        ida.expect("not delivered")
        self.assertEqual(self.end_chat(ida), 0)
        self.await_gone("ida")
        ida = self.chat("ida", "--to", "jan")
        ida.type("\x10\x10\r")  # Twice back: before /quit.
        ida.expect("ida: remember me ✗")
        directory = pathlib.Path(self.state.name) / "ida" / "zpost"
        file, = directory.iterdir()
        self.assertEqual(file.stat().st_mode & 0o077, 0)

    def test_a_narrow_terminal_and_a_resize_lose_nothing(self):
        kim = self.chat("kim", "--to", "leo", columns=30)
        leo = self.chat("leo", "--to", "kim")
        kim.expect("leo is here")
        kim.type("a line that is much longer than thirty columns, ")
        kim.resize(100)
        kim.type("and goes on\r")
        leo.expect("kim: a line that is much longer than thirty columns, and goes on")

    def test_control_characters_never_reach_the_terminal(self):
        mia = self.chat("mia")
        self.assert_exit(self.run_peer("send", "--as", "mallory", "mia", "x\x1b]0;owned\x07y"), 0)
        mia.expect(r"mallory: x\\e\]0;owned\\x07y")

    def test_requests_are_turned_down_politely(self):
        nora = self.chat("nora")
        done = self.run_peer("request", "nora", "x")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("rejected", done.err)
        self.assertIn("chat", done.err)
        nora.expect("asked something")

    def test_colours_are_used_on_a_terminal_unless_no_color_is_set(self):
        env = self.environment(TERM="xterm-256color", XDG_STATE_HOME=f"{self.state.name}/olga")
        olga = Terminal(["chat", "--as", "olga"], env)
        self.addCleanup(olga.close)
        self.await_present("olga")
        self.assert_exit(self.run_peer("send", "--as", "paul", "olga", "x"), 0)
        await_true(lambda: olga.read(0.1) or re.search(rb"\x1b\[[0-9;]*m[^\n]*paul", olga.raw),
                   "a coloured name")

    def test_a_pipe_says_its_lines_and_leaves(self):
        recv = self.start_peer("recv", "--as", "quin", "--count", "2", "--raw")
        done = self.run_peer("chat", "--as", "rita", "--to", "quin", stdin="eins\nzwei ü\n".encode())
        self.assert_exit(done, 0)
        self.assertEqual(self.result(recv)[1].decode(), "eins\nzwei ü\n")
        self.assertEqual(done.out.decode().count("✓"), 2)
        self.assertNotIn(b"\x1b", done.out)

    def chat_into(self, name, output):
        """A chat over pipes whose lines go to `output`, and whose input stays open."""
        chatting = subprocess.Popen([PEER, "chat", "--as", name], stdin=subprocess.PIPE,
                                    stdout=output, stderr=subprocess.PIPE, env=self.environment())
        self.addCleanup(self.end, chatting)
        return chatting

    def test_what_nobody_sees_any_more_is_not_taken(self):
        chatting = self.chat_into("wanda", subprocess.PIPE)
        for _ in range(3):
            chatting.stdout.readline()  # Its greeting.
        self.await_present("wanda")
        chatting.stdout.close()
        chatting.stdout = None
        done = self.run_peer("send", "wanda", "did you see this?")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("lost", done.err)
        self.assertEqual(chatting.wait(PATIENCE_S), 0)

    def test_a_full_disk_ends_a_chat_with_an_error(self):
        with open("/dev/full", "wb") as full:
            chatting = self.chat_into("xaver", full)
        self.assertEqual(chatting.wait(PATIENCE_S), FAILED)
        self.assertIn(b"No space left", chatting.stderr.read())

    def test_any_number_of_people_can_be_watched(self):
        names = [f"someone{i}" for i in range(66)]
        watching = self.chat("yvonne", *names)
        zora = self.chat("someone65")
        watching.expect("someone65 is here")
        self.end_chat(zora)
        watching.expect("someone65 left")

    def test_a_pipe_to_nobody_exits_3(self):
        done = self.run_peer("chat", "--as", "sven", "--to", "nobody", stdin=b"x\n")
        self.assert_exit(done, NOT_DELIVERED)
        self.assertIn("✗", done.out.decode())

    def test_a_pipe_with_a_line_that_does_nothing_exits_3(self):
        for line in (b"hello\n", b"/bogus\n", b"/msg bad! x\n"):
            done = self.run_peer("chat", "--as", "sven", stdin=line)
            self.assert_exit(done, NOT_DELIVERED)
        self.assert_exit(self.run_peer("chat", "--as", "sven", stdin=b"/who\n"), 0)

    def test_a_signal_ends_a_chat_and_leaves_the_terminal_as_it_was(self):
        tom = self.chat("tom")
        before = termios.tcgetattr(tom.master)[3]
        tom.process.send_signal(signal.SIGTERM)
        self.assertIsNotNone(tom.process.wait(PATIENCE_S))
        after = termios.tcgetattr(tom.master)[3]
        self.assertTrue(after & termios.ECHO and after & termios.ICANON, (before, after))
        self.await_gone("tom")


class AwayBrokerTest(ChatsTest):
    def test_who_does_not_keep_the_screen_while_the_broker_is_silent(self):
        zoe = self.chat("zoe")
        self.broker.process.send_signal(signal.SIGSTOP)
        zoe.type("/who\r/help\r")
        zoe.expect(r"(?s)//text.*no answer from the broker")
        self.broker.process.send_signal(signal.SIGCONT)
        zoe.type("/who\r")
        zoe.expect("nobody else is here")

    def test_who_says_so_while_the_broker_is_gone(self):
        ann = self.chat("ann")
        self.broker.stop(signal.SIGKILL)
        ann.expect("connection lost")
        ann.type("/who\r")
        ann.expect("the broker is away; ask again when it is back")
        self.broker.start()

    def test_a_script_waits_for_the_answer(self):
        done = self.run_peer("chat", "--as", "scripted", stdin=b"/who nobody\n")
        self.assert_exit(done, 0)
        self.assertIn("nobody named nobody is here", done.out.decode())


class BrokerRestartTest(ProgramTest):
    def test_a_chat_tells_and_goes_on(self):
        with tempfile.TemporaryDirectory() as state:
            env = self.environment(XDG_STATE_HOME=state, TERM="xterm", NO_COLOR="1")
            uta, vera = (Terminal(["chat", "--as", me, "--to", to], env)
                         for me, to in (("uta", "vera"), ("vera", "uta")))
            self.addCleanup(uta.close)
            self.addCleanup(vera.close)
            uta.expect("vera is here|here: vera")
            vera.expect("you are vera")
            self.broker.stop(signal.SIGKILL)
            uta.expect("connection lost")
            uta.type("into the void\r")
            uta.expect("uta: into the void …")
            self.broker.start()
            uta.expect("connected again")
            uta.expect("✓ delivered: into the void|into the void ✓")
            vera.expect("uta: into the void")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    unittest.main()
