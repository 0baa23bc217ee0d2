"""A broker and a group of chaos_workers, each behind a faulty relay, and what may befall them."""
import json
import shutil
import signal
import time

from chaos_ledgers import Stay, read_incarnation
from relay import TO_BROKER, TO_PEER, Relay
from support import PATIENCE, WORKER, Process, wait_until

CHAOS_WORKER = WORKER.with_name("chaos_worker")
NOBODY = "nobody"  # Written to, never there.
TOPICS = ("chaos/a", "chaos/b", "chaos/c/d")
SILENCE, RESUME = 1, 3  # Seconds, as here:
SETTINGS = {"broker": {"drain_time": "2s"},
            "session": {"heartbeat": "200ms", "silence": "1s", "resume": "3s"},
            # One violation is told in the log, and ends the session: libraries make none.
            "limits": {"topic_queue": "64KiB", "violations": 1}}


class Peer:
    """A name of the group: one incarnation of its program after the other."""

    def __init__(self, group, name, relay, launcher=()):
        self.group, self.name, self.relay = group, name, relay
        self.launcher = launcher  # A command that runs another.
        self.incarnations = []    # [process, ledgers, how it ended]
        self.start()

    def start(self):
        number = len(self.incarnations)
        label = f"{self.name}.{number}"
        ledgers = self.group.folder / label
        command = [*self.launcher, CHAOS_WORKER, "--endpoint", self.relay.endpoint,
                   "--as", self.name, "--ledgers", ledgers, "--incarnation", number,
                   "--seed", self.group.seed * 1000 + number, "--patience", 3 * PATIENCE,
                   "--pause", self.group.pause_ms]
        for name in self.group.names:
            command += ["--group", name]
        for topic in TOPICS:
            command += ["--topic", topic]
        process = Process(self.group.folder, label, command)
        self.group.case.processes.append(process)
        self.incarnations.append([process, ledgers, None])

    @property
    def process(self):
        return self.incarnations[-1][0]

    def running(self):
        return self.incarnations[-1][2] is None

    def end(self, number):
        """Kills it, or makes it leave."""
        self.process.go_on()
        self.process.signal(number)
        code = self.process.exit_code(3 * PATIENCE)
        if code != (-number if number == signal.SIGKILL else 0):
            raise AssertionError(f"{self.name} ended with {code}: {self.process.out()[-2000:]} "
                                 f"{self.process.err()[-2000:]}")
        self.incarnations[-1][2] = "killed" if number == signal.SIGKILL else "lived"

    def events(self, name, process=None):
        lines = (process or self.process).out()
        lines = lines[:lines.rfind("\n") + 1].splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def wait_for(self, name):
        def there():
            if self.events(name):
                return True
            if not self.process.alive():
                raise AssertionError(f"{self.name} ended: {self.process.out()[-2000:]} "
                                     f"{self.process.err()[-2000:]}")
            return False
        wait_until(there, f"{self.name} tells {name}", 6 * PATIENCE, pause=0.02)

    def progress(self):
        """How much its program began so far, in this incarnation."""
        path = self.incarnations[-1][1].with_suffix(self.incarnations[-1][1].suffix + ".sent")
        try:
            with open(path, "rb") as file:
                return int.from_bytes(file.read(8), "little")
        except FileNotFoundError:
            return 0

    def read(self):
        """What its incarnations wrote down."""
        for number, (process, ledgers, end) in enumerate(self.incarnations):
            stays = {event["index"]: Stay(event["run"], event["epoch"], event["ms"])
                     for event in self.events("stay", process)}
            read = read_incarnation(self.name, number, end == "lived", ledgers, stays)
            read.result = next(iter(self.events("result", process)), None)
            yield read


# ---- Troubles: what befalls the group. Each returns what it did in words, or nothing: it could not.

def cut(group, peer):
    return peer.relay.cut() and f"the connection of {peer.name} is cut"


def cut_between_frames(group, peer):
    if not peer.relay.whole_frames:
        return None
    return peer.relay.cut_between_frames() and (
        f"the connection of {peer.name} is cut between frames")


def delay(group, peer):
    if peer.relay.delay:
        return None
    peer.relay.delay = group.random.choice((0.005, 0.02, 0.05))

    def undo():
        peer.relay.delay = 0
    group.later(group.random.uniform(0.5, 3), f"{peer.name} is fast again", undo)
    return f"{peer.name} has a delay of {peer.relay.delay} s"


def stall(group, peer, directions, words):
    if not peer.relay.stall(directions):
        return None
    # Shorter than the silence, longer, and longer than the broker waits for a peer.
    seconds = group.random.choice((SILENCE / 2, 2 * SILENCE, RESUME + 2 * SILENCE))
    if group.random.random() < 0.5:
        group.later(seconds, f"the stalled connections of {peer.name} flow", peer.relay.heal)
    else:
        group.later(seconds, f"the connections of {peer.name} are cut", peer.relay.cut)
    return f"the connection of {peer.name} is half-open {words} for {seconds} s"


def half_open(group, peer):
    return stall(group, peer, (TO_BROKER, TO_PEER), "both ways")


def deaf(group, peer):
    return stall(group, peer, (TO_PEER,), "towards it")


def mute(group, peer):
    return stall(group, peer, (TO_BROKER,), "towards the broker")


def end_and_start_again(group, peer, number, word):
    if not peer.running():
        return None
    peer.end(number)
    seconds = group.random.choice((0, 0.5, RESUME + SILENCE))
    group.later(seconds, f"{peer.name} starts again", peer.start)
    return f"{peer.name} {word}, for {seconds} s"


def kill_peer(group, peer):
    return end_and_start_again(group, peer, signal.SIGKILL, "is killed")


def leave(group, peer):
    # It takes its leave once it is there.
    if not peer.running() or not peer.events("ready"):
        return None
    return end_and_start_again(group, peer, signal.SIGTERM, "leaves")


def pause_peer(group, peer):
    if not peer.running() or not peer.process.alive():
        return None
    process = peer.process
    process.signal(signal.SIGSTOP)
    seconds = group.random.choice((SILENCE / 4, 2 * SILENCE, RESUME + 2 * SILENCE))
    group.later(seconds, f"{peer.name} goes on", process.go_on)
    return f"{peer.name} stands still for {seconds} s"


def end_broker(group, number):
    group.broker.process.go_on()
    group.broker.process.signal(number)
    code = group.broker.process.exit_code()
    if code != (0 if number == signal.SIGTERM else -number):
        raise AssertionError(f"the broker ended with {code}")
    group.broker.start()


def kill_broker(group, peer):
    end_broker(group, signal.SIGKILL)
    return "the broker is killed"


def stop_broker(group, peer):
    end_broker(group, signal.SIGTERM)
    return "the broker is terminated"


def pause_broker(group, peer):
    process = group.broker.process
    process.signal(signal.SIGSTOP)
    seconds = group.random.choice((SILENCE / 2, 2 * SILENCE))
    group.later(seconds, "the broker goes on", process.go_on)
    return f"the broker stands still for {seconds} s"


TROUBLES = {
    "cut": cut, "cut-between-frames": cut_between_frames, "delay": delay, "half-open": half_open,
    "deaf": deaf, "mute": mute, "kill-peer": kill_peer, "leave": leave, "pause-peer": pause_peer,
    "kill-broker": kill_broker, "stop-broker": stop_broker, "pause-broker": pause_broker}


class Group:
    troubles = TROUBLES

    def __init__(self, case, seed, random, count=5, pause_ms=10):
        """`pause_ms` is between the turns of a worker: some 20 envelopes."""
        self.case, self.seed, self.random, self.pause_ms = case, seed, random, pause_ms
        self.folder = case.folder / f"seed-{seed}"
        self.folder.mkdir()
        self.broker = case.start_broker_with(SETTINGS)
        self.names = [f"p{number}" for number in range(count)] + [NOBODY]
        self.began = time.monotonic()
        self.story = []  # [(seconds, what)]
        self.due = []    # [(when, what, undo)] of troubles that end by themselves.
        self.peers = [Peer(self, name, self.relay_for(number), self.launcher_for(number))
                      for number, name in enumerate(self.names[:-1])]
        for peer in self.peers:
            peer.wait_for("ready")

    # What another network puts in their place.

    def relay_for(self, number):
        return Relay(self.broker.port, whole_frames=number % 2 == 0)

    def launcher_for(self, number):
        return ()

    # ---- Time

    def tell(self, text):
        self.story.append((time.monotonic() - self.began, text))

    def later(self, seconds, what, undo):
        self.due.append((time.monotonic() + seconds, what, undo))

    def do_due(self, all_of_it=False):
        now = time.monotonic()
        for entry in sorted(self.due, key=lambda entry: entry[0]):
            if entry[0] <= now or all_of_it:
                self.due.remove(entry)
                self.tell(entry[1])
                entry[2]()

    def go_on(self, envelopes, seconds):
        """Until the group has begun so many more, or so much time is gone: what holds everybody up
        must not hold up the next trouble."""
        deadline = time.monotonic() + seconds
        before = {peer: (peer.process, peer.progress()) for peer in self.peers}

        def enough():
            self.do_due()
            self.check_broker_lives()
            more = sum(peer.progress() - (was if peer.process is process else 0)
                       for peer, (process, was) in before.items())
            return more >= envelopes or time.monotonic() >= deadline
        wait_until(enough, "the group goes on", seconds + PATIENCE, pause=0.01)

    def check_broker_lives(self):
        if not self.broker.process.alive():
            raise AssertionError(f"the broker ended by itself: {self.broker.log()[-500:]}")

    # ---- The end

    def settle(self):
        """All troubles end, all come to rest, and leave. Returns the counters of the broker."""
        self.do_due(all_of_it=True)
        for peer in self.peers:
            peer.relay.delay = 0
            peer.relay.heal()
            peer.wait_for("ready")
        self.tell("all begin nothing more")
        for peer in self.peers:
            peer.process.signal(signal.SIGUSR1)
        for peer in self.peers:
            peer.wait_for("quiet")
        self.tell("all is settled")
        counters = self.case.check_quiet(self.broker)
        for peer in self.peers:
            peer.end(signal.SIGTERM)
        self.case.assertNotIn("violations", self.broker_log())
        return counters

    def broker_log(self):
        """Of all its runs."""
        return "".join(path.read_text(errors="replace")
                       for path in self.case.folder.glob(f"{self.broker.label}*.err"))

    def close(self):
        """Leaves nothing of it but the story."""
        for peer in self.peers:
            peer.relay.close()
        self.broker.kill()
        shutil.rmtree(self.folder)

    def incarnations(self):
        return [incarnation for peer in self.peers for incarnation in peer.read()]
