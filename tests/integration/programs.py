"""zpost's programs as a person and a script use them: one broker, peers, and what they print.

ZPOST_BIN names the directory of the programs. Needs nothing but Python's own library.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ.get("ZPOST_BIN", "build/bin"))
PEER = str(BIN / "zpost-peer")
PATIENCE_S = 30
FAILED, USAGE, NOT_DELIVERED, UNREACHABLE, REFUSED, TIMED_OUT = 1, 2, 3, 4, 5, 6


def await_true(condition, what):
    """Returns the first true value of the condition; what tells of the state is asked for at the end."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {what() if callable(what) else what}")


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def environment(endpoint, **more):
    """Nothing of the person's own settings."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith("ZPOST_") and key != "NO_COLOR"}
    return {**kept, "ZPOST_ENDPOINT": endpoint, "LC_ALL": "C.UTF-8", **more}


def children_of(pid):
    """Running or not yet waited for."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            if fields[1] == str(pid):
                found.append(entry.parent.name)
    return found


def minds(process, sig):
    """Whether the signal does not just end it: it is caught, or blocked for signalfd."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    masks = re.findall(r"^Sig(?:Cgt|Blk):\s*(\w+)", status, re.M)
    return any(int(mask, 16) >> (sig - 1) & 1 for mask in masks)


def stop(process, sig=signal.SIGTERM):
    """Ends what is still running and hands over its exit code."""
    if process.poll() is None:
        process.send_signal(sig)
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


class Broker:
    """A broker on a port of its own. It can be stopped and started again on the same port."""

    def __init__(self):
        self.directory = tempfile.mkdtemp()
        self.endpoint = "tcp://127.0.0.1:*"
        self.process = None
        self.start()

    def start(self, *more):
        self.process = subprocess.Popen(
            [str(BIN / "zpost-broker"), "--listen", self.endpoint,
             "--state", f"{self.directory}/state", *more],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.endpoint = line.split()[2]

    def stop(self, sig=signal.SIGTERM):
        stop(self.process, sig)
        self.process.stdout.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.directory)


class ProgramTest(unittest.TestCase):
    """What all share: one broker, names that no other test has, and programs that end with the test."""

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.addClassCleanup(cls.broker.close)

    def environment(self, **more):
        return environment(self.broker.endpoint, **more)

    def run_peer(self, *arguments, stdin=b"", env=None, timeout=PATIENCE_S):
        """Runs to the end. Output as bytes in .out; .err is text."""
        done = subprocess.run([PEER, *arguments], input=stdin, capture_output=True,
                              env=env or self.environment(), timeout=timeout, check=False)
        done.out, done.err = done.stdout, done.stderr.decode()
        return done

    def start_peer(self, *arguments, env=None, **more):
        """Starts, and waits until the broker knows the name after --as, and signals are minded."""
        more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        process = subprocess.Popen([PEER, *arguments], env=env or self.environment(), **more)
        self.addCleanup(self.end, process)
        if "--as" in arguments:
            self.await_present(arguments[arguments.index("--as") + 1])
            # The broker knows it a moment before.
            await_true(lambda: process.poll() is not None or minds(process, signal.SIGTERM),
                       f"{arguments} minds signals")
        return process

    @staticmethod
    def end(process):
        with process:
            stop(process, signal.SIGKILL)

    def is_present(self, name):
        return self.run_peer("who", name).returncode == 0

    def await_present(self, name):
        await_true(lambda: self.is_present(name), f"{name} is here")

    def await_gone(self, name):
        await_true(lambda: not self.is_present(name), f"{name} is gone")

    def result(self, process, stdin=None):
        """Exit code, output, messages of a program that ends by itself."""
        out, err = process.communicate(stdin, timeout=PATIENCE_S)
        return process.returncode, out, err.decode()

    def assert_exit(self, done, code):
        self.assertEqual(done.returncode, code, done.err)
