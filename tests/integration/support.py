"""Starts the real programs for a test, and sees to it that none outlives it.

Every wait has a deadline and a condition. At the end of every test each living broker must balance:
received + copies = delivered + unconfirmed + held + failed. A failed test shows the brokers' logs.
"""
import json
import mmap
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from raw_peer import Kind, RawPeer

if "ZPOST_BIN" not in os.environ:
    sys.exit("ZPOST_BIN must name the folder of zpost-broker (ctest sets it)")
BIN = pathlib.Path(os.environ["ZPOST_BIN"]).resolve()
BROKER = BIN / "zpost-broker"
WORKER = BIN.parent / "test-bin" / "pair_worker"

# ZPOST_LONG=1: more envelopes, longer times.
LONG = os.environ.get("ZPOST_LONG", "0") not in ("", "0")
# Sanitized programs are slow, and their memory says nothing.
SANITIZED = BROKER.exists() and b"__asan_init" in BROKER.read_bytes()
PATIENCE = 60 if SANITIZED else 20

# A program must not outlive its test, even one that is killed.
WITH_ME = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def scaled(short, long):
    """How many: for every run, or for the long form. Sanitized programs get a quarter."""
    count = long if LONG else short
    return count // 4 if SANITIZED else count


def wait_until(condition, what, timeout=PATIENCE, pause=0.005):
    """The first true value of condition(). Fails when there is none in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(pause)


class Process:
    """A program whose output goes into files."""

    def __init__(self, folder, label, command, environment=None):
        self.label = label
        self.out_path = folder / f"{label}.out"
        self.err_path = folder / f"{label}.err"
        with open(self.out_path, "ab") as out, open(self.err_path, "ab") as err:
            self.popen = subprocess.Popen(
                WITH_ME + [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out,
                stderr=err, env={**os.environ, **(environment or {})})
        self.pid = self.popen.pid

    def out(self):
        return self.out_path.read_text(errors="replace")

    def err(self):
        return self.err_path.read_text(errors="replace")

    def alive(self):
        return self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def pause(self):
        """Returns when it stands still."""
        self.signal(signal.SIGSTOP)
        wait_until(lambda: self.status("State").startswith("T"), f"{self.label} stopped")

    def go_on(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """kill -9, and waits for the end."""
        if self.alive():
            self.popen.kill()
        return self.popen.wait(PATIENCE)

    def exit_code(self, timeout=PATIENCE):
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.label} did not end within {timeout} s") from None

    def status(self, key):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return line.split(":", 1)[1].strip()
        raise AssertionError(f"no {key} in the status of {self.label}")

    def memory(self):
        """Resident now, in bytes."""
        return int(self.status("VmRSS").split()[0]) << 10

    def peak_memory(self):
        """The most that was ever resident, in bytes."""
        return int(self.status("VmHWM").split()[0]) << 10

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Broker:
    """zpost-broker on ports of its own; restarted, it listens where it listened before."""

    def __init__(self, folder, label, flags, listen=("tcp://127.0.0.1:*",)):
        self.folder, self.label, self.flags, self.wanted = folder, label, flags, list(listen)
        self.endpoints = []
        self.runs = 0
        self.process = None
        self.start()

    def command(self):
        command = [BROKER, "--state", self.folder / f"{self.label}.state", "--log-level", "debug"]
        for endpoint in self.endpoints or self.wanted:
            command += ["--listen", endpoint]
        return command + list(self.flags)

    def launch(self):
        """Starts it without waiting for it to listen."""
        self.runs += 1
        self.process = Process(self.folder, f"{self.label}{self.runs}", self.command())
        return self.process

    def start(self):
        process = self.launch()

        def listening():
            found = re.findall(r"^listening on (\S+)$", process.out(), re.M)
            if len(found) == len(self.wanted):
                return found
            if not process.alive():
                raise AssertionError(f"the broker ended: {process.err()}")
            return None

        self.endpoints = wait_until(listening, "the broker listens")

    @property
    def endpoint(self):
        return self.endpoints[0]

    @property
    def port(self):
        return int(self.endpoint.rpartition(":")[2])

    def kill(self):
        self.process.kill()

    def restart(self, number=signal.SIGKILL):
        """Ends it with a signal, and starts it again where it was. Returns the exit code."""
        self.process.signal(number)
        code = self.process.exit_code()
        self.start()
        return code

    def log(self):
        return self.process.err()


class Worker:
    """A pair_worker (pair_worker.cpp): its lines of JSON, and its ledger as it grows."""

    SENT = struct.Struct("<QIBBH")
    RECEIVED = struct.Struct("<QII")

    def __init__(self, folder, verb, name, broker, count, to=(), **options):
        endpoint = broker if isinstance(broker, str) else broker.endpoint
        Worker.started = getattr(Worker, "started", 0) + 1
        label = f"{name}{Worker.started}"
        self.name, self.ledger = name, folder / f"{label}.ledger"
        self.entry = Worker.SENT if verb == "send" else Worker.RECEIVED
        command = [WORKER, verb, "--endpoint", endpoint, "--as", name, "--count", count,
                   "--ledger", self.ledger, "--patience", PATIENCE]
        for recipient in [to] if isinstance(to, str) else to:
            command += ["--to", recipient]
        for option, value in options.items():
            option = "--" + option.replace("_", "-")
            for item in value if isinstance(value, (list, tuple)) else [value]:
                command += [option] if item is True else [option, item]
        self.process = Process(folder, label, command)
        self.map = None

    def events(self, name=None):
        lines = self.process.out()
        lines = lines[:lines.rfind("\n") + 1].splitlines()  # The last may be half written.
        return [event for event in map(json.loads, lines) if name in (None, event["event"])]

    def wait_for(self, name, count=1, timeout=PATIENCE):
        """The count-th event of that name."""
        def there():
            events = self.events(name)
            if len(events) >= count:
                return events[count - 1]
            if not self.process.alive() and len(self.events(name)) < count:
                raise AssertionError(f"{self.name} ended: {self.process.out()[-2000:]} "
                                     f"{self.process.err()[-2000:]}")
            return None
        return wait_until(there, f"{self.name} tells {name} {count} times", timeout)

    def progress(self):
        """How many envelopes stand in its ledger now."""
        if self.map is None:
            if not self.ledger.exists() or self.ledger.stat().st_size == 0:
                return 0
            with open(self.ledger, "rb") as file:
                self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return int.from_bytes(self.map[:8], "little")

    def wait_progress(self, count, timeout=PATIENCE):
        wait_until(lambda: self.progress() >= count or not self.process.alive(),
                   f"{self.name} has {count} envelopes", timeout, pause=0.001)

    def entries(self):
        """Tuples: (id, sequence, recipient, outcome, reports) or (id, sequence, sender)."""
        count = self.progress()
        if count == 0:
            return []
        return list(self.entry.iter_unpack(self.map[8:8 + count * self.entry.size]))

    def result(self, timeout=None):
        """What it says at its end. Fails when it ends without."""
        self.process.exit_code(timeout or 3 * PATIENCE)
        results = self.events("result")
        if not results:
            raise AssertionError(f"{self.name} has no result: {self.process.out()[-2000:]} "
                                 f"{self.process.err()[-2000:]}")
        return results[0]

    def kill(self):
        self.process.kill()


class Case(unittest.TestCase):
    """One behaviour of real programs."""

    def run(self, result=None):
        self.logs = []
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for title, text in self.logs:
                lines = text.splitlines()
                print(f"---- {title}, the last of {len(lines)} lines", *lines[-80:], sep="\n",
                      file=sys.stderr)
        return result

    def setUp(self):
        self.brokers, self.processes = [], []
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zpost-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.stop_all)

    def tearDown(self):
        for broker in self.brokers:
            if broker.process.alive():
                self.check_balance(broker)

    def stop_all(self):
        for broker in self.brokers:
            self.processes.append(broker.process)
        for process in self.processes:
            process.kill()
        for path in sorted(self.folder.glob("*.err")) + sorted(self.folder.glob("*.out")):
            self.logs.append((path.name, path.read_text(errors="replace")))

    # ---- Programs

    def start_broker(self, *flags, listen=("tcp://127.0.0.1:*",)):
        broker = Broker(self.folder, f"broker{len(self.brokers)}-", flags, listen)
        self.brokers.append(broker)
        return broker

    def start_broker_with(self, settings):
        """`settings`: {section: {key: value}} of its configuration file."""
        path = self.folder / f"broker{len(self.brokers)}.toml"
        lines = [f"[{section}]\n" + "".join(f'{key} = {json.dumps(value)}\n'
                                            for key, value in keys.items())
                 for section, keys in settings.items()]
        path.write_text("".join(lines))
        return self.start_broker("--config", str(path))

    def start(self, label, command, environment=None):
        process = Process(self.folder, label, command, environment)
        self.processes.append(process)
        return process

    def start_sender(self, name, broker, count, to, **options):
        return self._start_worker("send", name, broker, count, to=to, **options)

    def start_receiver(self, name, broker, count, **options):
        """Returns when it is connected."""
        worker = self._start_worker("receive", name, broker, count, **options)
        worker.wait_for("ready")
        return worker

    def start_flooder(self, name, broker, count, to, **options):
        return self._start_worker("flood", name, broker, count, to=to, **options)

    def _start_worker(self, verb, name, broker, count, **options):
        worker = Worker(self.folder, verb, name, broker, count, **options)
        self.processes.append(worker.process)
        return worker

    # ---- Raw peers

    def raw(self, broker, name, **options):
        """A connection that said nothing yet."""
        endpoint = broker if isinstance(broker, str) else broker.endpoint
        peer = RawPeer(endpoint, name, patience=PATIENCE, **options)
        self.addCleanup(peer.disconnect)
        return peer

    def join(self, broker, name, **options):
        """A welcomed peer."""
        peer = self.raw(broker, name, **options)
        peer.join()
        return peer

    # ---- Checks

    def stats(self, broker):
        peer = RawPeer(broker.endpoint, "statistician", patience=PATIENCE)
        try:
            peer.join(wait_for_name=True, wait_for_room=True)
            reply = peer.ask({"op": "stats"})
            peer.goodbye()
            return reply
        finally:
            peer.disconnect()

    def check_balance(self, broker):
        counters = self.stats(broker)["counters"]
        total = sum(counters[key] for key in ("delivered", "unconfirmed", "held", "failed"))
        self.assertEqual(counters["received"] + counters["copies"], total, counters)
        self.assertEqual(counters["failed"], sum(counters["failed_by"].values()), counters)
        return counters

    def check_quiet(self, broker):
        """Nothing is on its way any more. The counters."""
        # The reply that says so is on its way itself.
        wait_until(lambda: self.stats(broker)["counters"]["held"] <= 1, "nothing is held")
        return self.check_balance(broker)

    def check_alive(self, broker):
        """It serves strangers: an envelope from a new peer to another arrives."""
        self.assertTrue(broker.process.alive(), "the broker ended")
        alice, bob = self.join(broker, "probe-a"), self.join(broker, "probe-b")
        sent = alice.send("probe-b", b"alive?")
        self.assertEqual(bob.expect(Kind.SEND).body, b"alive?")
        self.assertEqual(alice.outcome_of("probe-b", sent).name, "UNCONFIRMED")
        for peer in (alice, bob):
            peer.goodbye()
            peer.disconnect()

    def check_arrived_once_and_in_order(self, receiver, result, count):
        """What a receiver says at its end: `count` envelopes, each once, in order, intact."""
        self.assertEqual(
            {key: result[key] for key in
             ("arrived", "corrupt", "backward", "jumped", "ids_not_rising")},
            {"arrived": count, "corrupt": 0, "backward": 0, "jumped": 0, "ids_not_rising": 0},
            receiver.events())

    def check_all_delivered(self, sender, result, count):
        self.assertEqual(
            (result["settled"], result["outcomes"], result["told_twice"], result["stray"]),
            (True, {"delivered": count}, 0, 0), sender.events())
