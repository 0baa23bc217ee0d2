#!/usr/bin/python3
"""Shows that the tests find faults: plants those of breakages.txt, one at a time.

The sources are copied to a scratch directory and built there; after each fault only what it
touches is built again. Nothing in the working tree changes.
"""

import argparse
import concurrent.futures
import hashlib
import queue
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# What runs against each fault: the program, its arguments, and how long it may take.
PROGRAMS = [
    ("core_test", [], 120),
    ("core_transcripts_test", [], 120),
    ("peer_state_test", [], 120),
    ("net_bytes_test", [], 120),
    ("gateway_test", [], 180),
    ("core_sim", ["--histories", "100000", "--seconds", "{seconds}", "--shrink", "0"], 120),
    ("world_sim", ["--histories", "100000", "--seconds", "{seconds}", "--shrink", "0"], 180),
]
TARGETS = [name for name, _, _ in PROGRAMS]


@dataclass
class Breakage:
    id: str
    what: str
    file: str = ""
    old: list = field(default_factory=list)
    new: list = field(default_factory=list)

    def apply(self, text):
        """`text` with the fault in it. The old lines must be there exactly once."""
        lines = text.splitlines()
        bare = [line.strip() for line in lines]
        size = len(self.old)
        places = [i for i in range(len(lines) - size + 1) if bare[i:i + size] == self.old]
        if len(places) != 1:
            raise ValueError(f"{self.id}: {self.file} has the old lines {len(places)} times")
        lines[places[0]:places[0] + size] = self.new
        return "\n".join(lines) + "\n"


def read_breakages(path):
    breakages = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        head = re.fullmatch(r"\[([a-z-]+)\] (.+)", line)
        if head:
            breakages.append(Breakage(head[1], head[2]))
        elif line.startswith("file: "):
            breakages[-1].file = line[6:].strip()
        elif line.startswith("- "):
            breakages[-1].old.append(line[2:].strip())
        elif line.startswith("+ "):
            breakages[-1].new.append(line[2:].strip())
        elif line and not line.startswith("#"):
            sys.exit(f"{path}:{number}: {line}")
    return breakages


def out_of_place(breakages):
    """What is wrong with those whose old lines are not in the sources, or not once."""
    for breakage in breakages:
        try:
            breakage.apply((ROOT / breakage.file).read_text())
        except (OSError, ValueError) as error:
            yield str(error)


@dataclass
class Catch:
    """What one program said to one fault."""
    program: str
    caught: bool
    how: str
    seconds: float


class Scratch:
    """A copy of the sources and its build."""

    def __init__(self, directory):
        self.source = directory / "source"
        self.build = directory / "build"
        self.prepare()

    def prepare(self):
        """Copies what differs, so that a second run builds little."""
        files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True,
                               check=True).stdout.split()
        for name in files:
            old, new = ROOT / name, self.source / name
            if not old.is_file() or name.startswith("docs/"):
                continue
            new.parent.mkdir(parents=True, exist_ok=True)
            if not new.exists() or new.read_bytes() != old.read_bytes():
                shutil.copyfile(old, new)
        self.run(["cmake", "-S", self.source, "-B", self.build, "-G", "Ninja",
                  "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DBUILD_TESTING=ON",
                  "-DZPOST_UNITY_TESTS=ON", "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g0"])
        self.run(["ninja", "-C", self.build, "-j1", *TARGETS])
        self.sound = {program: self.digest(program) for program in TARGETS}

    def digest(self, program):
        return hashlib.sha256((self.build / "test-bin" / program).read_bytes()).digest()

    @staticmethod
    def run(command):
        done = subprocess.run(["nice", "-n", "10", *map(str, command)], capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])

    def judge(self, breakage, seconds):
        path = self.source / breakage.file
        sound = path.read_text()
        path.write_text(breakage.apply(sound))
        try:
            self.run(["ninja", "-C", self.build, "-j1", *TARGETS])
            # A fault of the library is not in the tests of the core: those need not run.
            return [self.ask(program, args, limit, seconds) for program, args, limit in PROGRAMS
                    if self.digest(program) != self.sound[program]]
        finally:
            path.write_text(sound)

    def ask(self, program, args, limit, seconds):
        command = [str(self.build / "test-bin" / program)]
        command += [arg.format(seconds=seconds) for arg in args]
        begin = time.monotonic()
        try:
            done = subprocess.run(["nice", "-n", "10", *command], capture_output=True, text=True,
                                  errors="replace", timeout=limit + seconds)
        except subprocess.TimeoutExpired:
            return Catch(program, True, "hangs", time.monotonic() - begin)
        spent = time.monotonic() - begin
        if done.returncode == 0:
            return Catch(program, False, "", spent)
        return Catch(program, True, reason(done.stdout + done.stderr, done.returncode), spent)


def reason(output, code):
    """The seed, or the tests that failed, in a few words."""
    seed = re.search(r"^seed (\d+): ([^:\n]*)", output, re.MULTILINE)
    if seed:
        return f"seed {seed[1]}: {re.sub(r'[0-9#]+', 'N', seed[2])[:60]}"
    tests = sorted(set(re.findall(r"^\[  FAILED  \] (\S+?)(?:,| \(|$)", output, re.MULTILINE)))
    if tests:
        first = tests[0].split(".", 1)[-1]
        return first[:60] + (f" and {len(tests) - 1} more" if len(tests) > 1 else "")
    return "an assertion" if code < 0 or code == 134 else f"exit code {code}"


def row(breakage, catches):
    by = []
    for catch in catches:
        if catch.caught:
            by.append(f"{catch.program} ({catch.how}; {catch.seconds:.1f} s)")
    return f"| `{breakage.id}` | {breakage.what} | {'<br>'.join(by) or '**nothing**'} |"


def table(results):
    found = sum(any(c.caught for c in catches) for _, catches in results)
    lines = [f"{found} of {len(results)} faults were found.", ""]
    for program in TARGETS:
        count = sum(c.caught for _, catches in results for c in catches if c.program == program)
        lines.append(f"- `{program}` found {count}")
    lines += ["", "| fault | what it breaks | found by |", "|---|---|---|"]
    lines += [row(breakage, catches) for breakage, catches in results]
    return "\n".join(lines) + "\n"


def work(breakages, args):
    scratches = queue.Queue()
    # One after another: the second finds what the first compiled in the compiler's cache.
    for job in range(args.jobs):
        print(f"building in {args.scratch}/{job}", file=sys.stderr, flush=True)
        scratches.put(Scratch(args.scratch / str(job)))

    def judge(breakage):
        scratch = scratches.get()
        try:
            catches = scratch.judge(breakage, args.seconds)
        finally:
            scratches.put(scratch)
        print(row(breakage, catches), file=sys.stderr, flush=True)
        return breakage, catches

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        return list(pool.map(judge, breakages))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="extend", metavar="ID,...", type=lambda ids: ids.split(","),
                        help="these faults")
    parser.add_argument("--list", action="store_true", help="only print the faults")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--seconds", type=float, default=15, help="for each simulation")
    parser.add_argument("--scratch", type=Path, default=Path("/tmp/zpost-breakages"),
                        help="where to build")
    parser.add_argument("--table", type=Path, help="where to write the table, too")
    args = parser.parse_args()

    breakages = read_breakages(HERE / "breakages.txt")
    if lost := list(out_of_place(breakages)):  # Before anything is built.
        sys.exit("\n".join(lost))
    if args.only:
        unknown = set(args.only) - {breakage.id for breakage in breakages}
        if unknown:
            parser.error(f"no such fault: {', '.join(sorted(unknown))}")
        breakages = [breakage for breakage in breakages if breakage.id in args.only]
    if args.list:
        for breakage in breakages:
            print(f"{breakage.id:28} {breakage.file:28} {breakage.what}")
        return 0
    results = work(breakages, args)
    text = table(results)
    print(text)
    if args.table:
        args.table.write_text(text)
    return 0 if all(any(c.caught for c in catches) for _, catches in results) else 1


if __name__ == "__main__":
    sys.exit(main())
