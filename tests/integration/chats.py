"""Chats on terminals of their own, for tests."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time

from programs import PATIENCE_S, PEER, ProgramTest, await_true, lines_of, stop


class Terminal:
    """A program on a terminal of its own, and what it wrote there."""

    def __init__(self, arguments, env, columns=80):
        self.text = ""
        self.raw = b""
        self.master, slave = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen([PEER, *arguments], stdin=slave, stdout=slave, stderr=slave,
                                        env=env, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return
        with contextlib.suppress(OSError):  # The program closed its side.
            for _ in range(64):  # A terminal hands over little at a time, and all is looked through.
                self.raw += os.read(self.master, 65536)
                if not select.select([self.master], [], [], 0)[0]:
                    break
        self.text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[=>()][A-Z0-9]?|[\r\x01]", "",
                           self.raw.decode(errors="surrogateescape"))  # It may end within one.

    def expect(self, pattern):
        """Waits for `pattern` in what was written since the last expected text."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.text)):
            if time.monotonic() > deadline:
                raise AssertionError(f"no {pattern!r} in:\n{self.text}")
            self.read(0.1)
        self.raw = self.text[found.end():].encode(errors="surrogateescape")
        self.text = self.text[found.end():]
        return found

    def close(self):
        try:
            return stop(self.process, signal.SIGKILL)
        finally:
            os.close(self.master)


class ChatsTest(ProgramTest):
    """What tests of chats share."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.state = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.state.cleanup)

    def chat(self, name, *arguments, columns=80, **environment):
        env = self.environment(XDG_STATE_HOME=f"{self.state.name}/{name}", TERM="xterm-256color",
                               NO_COLOR="1", **environment)
        terminal = Terminal(["chat", "--as", name, *arguments], env, columns)
        self.addCleanup(terminal.close)
        terminal.expect("you are " + name)
        return terminal

    def chat_in(self, rooms, name, *arguments, **more):
        """A chat in rooms, of which everybody knows."""
        joins = [argument for room in rooms.split() for argument in ("--join", room)]
        terminal = self.chat(name, *joins, *arguments, **more)
        await_true(lambda: self.rooms_of(name) == rooms, f"{name} is in {rooms}")
        return terminal

    def rooms_of(self, name):
        peers = lines_of(self.run_peer("who", "--format", "json", name).out)
        return peers[0]["metadata"].get("rooms", "") if peers else ""

    def end_chat(self, terminal):
        terminal.type("/quit\r")
        deadline = time.monotonic() + PATIENCE_S
        while terminal.process.poll() is None and time.monotonic() < deadline:
            terminal.read(0.05)
        return terminal.process.poll()
