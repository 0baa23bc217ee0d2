"""Files from peer to peer: zpost-peer send --file and recv --save. files_stranger_test.py has strangers."""
import contextlib
import hashlib
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

from programs import (FAILED, NOT_DELIVERED, PATIENCE_S, PEER, TIMED_OUT, UNREACHABLE, USAGE,
                      ProgramTest, await_true, lines_of)
from relay import Connection, Relay
from tcp_file import Tee

MIB = 1 << 20
LARGE = 200 * MIB  # Much more than may be under way.
SANITIZED = b"__asan_init" in pathlib.Path(PEER).read_bytes()


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def peak_memory(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmHWM")


class ValveConnection(Connection):
    def copy(self, source, target, flowing, borders):
        if source is self.broker:
            source = Tee(source, self.relay.pass_on)
        super().copy(source, target, flowing, borders)


class Valve(Relay):
    """In front of whoever saves files. It holds what comes beyond some MiB until it is opened: a file
    is in the middle of its way however fast the programs are, and however slow the test is."""

    connection_class = ValveConnection
    HELD_AT, NEVER = 16 * MIB, 1 << 62

    def __init__(self, broker_port):
        self.passed, self.held_at, self.moved = 0, self.HELD_AT, threading.Condition()
        super().__init__(broker_port)

    def pass_on(self, data):
        with self.moved:
            self.passed += len(data)
            self.moved.wait_for(lambda: self.passed <= self.held_at)

    def hold_at(self, count):
        with self.moved:
            self.held_at = count
            self.moved.notify_all()

    def open(self):
        self.hold_at(self.NEVER)

    def close(self):
        self.open()
        super().close()


class FilesTest(ProgramTest):
    """Names that no other test has, a folder to send from and one to save in."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zpost-files-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.saved = self.folder / "saved"
        self.saved.mkdir()
        self.bob = f"bob-{self.id().rpartition('.')[2][:40]}".replace("_", "-")

    def file(self, name, content):
        """A file to send. A number: that many random bytes."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else os.urandom(content))
        return path

    def start_held_saver(self, *more):
        """One to which no more than the beginning of a large file comes, until self.valve is opened."""
        self.valve = Valve(int(self.broker.endpoint.rpartition(":")[2]))
        self.addCleanup(self.valve.close)
        return self.start_saver(*more, env=self.environment(ZPOST_ENDPOINT=self.valve.endpoint))

    def start_saver(self, *more, save=None, **popen):
        return self.start_peer("recv", "--as", self.bob, "--save", str(save or self.saved),
                               "--format", "json", *more, **popen)

    def start_sender(self, path, *more, name=None):
        command = ["send", "--file", str(path), self.bob, "--format", "json", *more]
        if name:
            command += ["--as", name]
        process = subprocess.Popen([PEER, *command], env=self.environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        return process

    def send(self, *paths, more=(), timeout=4 * PATIENCE_S):
        """Its exit code, reports and messages."""
        files = [word for path in paths for word in ("--file", str(path))]
        done = self.run_peer("send", *files, self.bob, "--format", "json", *more, timeout=timeout)
        return done.returncode, lines_of(done.out.decode()), done.err

    def ended(self, process):
        """Exit code, objects, messages."""
        out, err = process.communicate(timeout=4 * PATIENCE_S)
        return process.returncode, lines_of(out.decode()), err.decode()

    def finish(self, saver):
        saver.send_signal(signal.SIGTERM)
        return self.ended(saver)

    def parts(self):
        return [path for path in self.saved.iterdir() if path.name.startswith(".")]

    def names(self):
        return sorted(path.name for path in self.saved.iterdir())

    def part_bytes(self):
        with contextlib.suppress(FileNotFoundError):  # It may get its name meanwhile.
            return sum(path.stat().st_size for path in self.parts())
        return 0

    def await_middle(self, least=8 * MIB):
        await_true(lambda: self.part_bytes() >= least, "a part of the file is there")

    def assert_same(self, path, name=None):
        self.assertEqual(sha256_of(self.saved / (name or path.name)), sha256_of(path))


class WholeFilesTest(FilesTest):
    def test_files_of_all_sizes_and_names_arrive(self):
        saver = self.start_saver()
        paths = [self.file("empty", b""), self.file("one", b"x"),
                 self.file("with spaces und ümläuten ☃.txt", b"hello"),
                 self.file("a.tar.gz", 3 * MIB + 17), self.file("x" * 255, b"long name"),
                 self.file("back\\slash 'quote' \"quotes\" $HOME;ls", b"shell")]
        code, reports, err = self.send(*paths)
        self.assertEqual((code, err), (0, ""))
        code, files, err = self.finish(saver)
        self.assertEqual((code, err), (0, ""))
        for path, report, file in zip(paths, reports, files, strict=True):
            self.assert_same(path)
            self.assertEqual((report["outcome"], report["name"], report["sha256"], report["size"]),
                             ("delivered", path.name, sha256_of(path), path.stat().st_size))
            self.assertEqual((file["kind"], file["name"], file["sha256"], file["path"]),
                             ("file", path.name, report["sha256"], f"{self.saved}/{path.name}"))
            self.assertEqual((self.saved / path.name).stat().st_mtime_ns, path.stat().st_mtime_ns)
        self.assertEqual(self.parts(), [])

    def test_a_person_is_told_size_time_and_rate(self):
        saver = self.start_peer("recv", "--as", self.bob, "--save", str(self.saved), "--count", "1")
        done = self.run_peer("send", "--file", str(self.file("big", 80 * MIB)), self.bob)
        self.assert_exit(done, 0)
        self.assertRegex(done.err, rf"^big to {self.bob}: 80 MiB in \d+\.\d s, [\d.]+ [KMG]iB/s\n$")
        code, out, err = self.result(saver)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out.decode(), r"^\d\d:\d\d:\d\d anon-\w+: file .*/saved/big, 80 MiB in ")

    def test_a_pattern_of_the_shell_sends_all_that_match(self):
        self.start_saver()
        paths = [str(self.file(f"{i}.jpg", b"%d" % i)) for i in range(3)]
        self.assert_exit(self.run_peer("send", self.bob, "--file", *paths), 0)
        self.assertEqual(self.names(), ["0.jpg", "1.jpg", "2.jpg"])

    def test_count_counts_files_and_other_envelopes_are_printed(self):
        saver = self.start_saver("--count", "2")
        self.assert_exit(self.run_peer("send", self.bob, "hello"), 0)
        self.assertEqual(self.send(self.file("a", b"a"), self.file("b", b"b"))[0], 0)
        code, lines, _ = self.ended(saver)
        self.assertEqual((code, [line["kind"] for line in lines]), (0, ["send", "file", "file"]))

    def test_less_than_count_in_time_is_timed_out(self):
        code, _, err = self.ended(self.start_saver("--count", "1", "--timeout", "200ms"))
        self.assertEqual(code, TIMED_OUT)
        self.assertIn("no file came within 200ms (--timeout), 1 wanted", err)

    def test_a_name_that_is_taken_gets_a_number_and_nothing_is_overwritten(self):
        (self.saved / "report.pdf").write_bytes(b"mine")
        self.start_saver()
        for content in (b"first", b"second!"):
            code, (report,), _ = self.send(self.file("report.pdf", content))
            self.assertEqual(code, 0)
        self.assertEqual(report["name"], "report (3).pdf")
        self.assertEqual((self.saved / "report.pdf").read_bytes(), b"mine")
        self.assertEqual((self.saved / "report (2).pdf").read_bytes(), b"first")

    def test_overwrite_replaces(self):
        (self.saved / "report.pdf").write_bytes(b"mine")
        self.start_saver("--overwrite")
        self.assertEqual(self.send(self.file("report.pdf", b"theirs"))[0], 0)
        self.assertEqual((self.saved / "report.pdf").read_bytes(), b"theirs")
        self.assertEqual(self.names(), ["report.pdf"])

    def test_what_is_there_already_is_not_sent_again(self):
        saver = self.start_saver()
        path = self.file("big", 8 * MIB)
        self.send(path)
        code, (report,), _ = self.send(path)
        self.assertEqual((code, report["resumed_from"], report["name"]), (0, 8 * MIB, "big"))
        self.assertEqual(self.names(), ["big"])
        files = self.finish(saver)[1]
        self.assertEqual([file["already_there"] for file in files], [False, True])

    def test_what_is_there_under_a_number_is_not_sent_again_either(self):
        (self.saved / "report.pdf").write_bytes(b"mine")
        (self.saved / "report (2).pdf").write_bytes(b"mine, too")
        self.start_saver()
        path = self.file("report.pdf", b"theirs")
        for _ in range(3):
            code, (report,), _ = self.send(path)
            self.assertEqual((code, report["name"]), (0, "report (3).pdf"))
        self.assertEqual(self.names(), ["report (2).pdf", "report (3).pdf", "report.pdf"])

    def test_what_got_a_number_stays_when_the_plain_name_is_free_again(self):
        (self.saved / "report.pdf").write_bytes(b"mine")
        self.start_saver()
        path = self.file("report.pdf", b"theirs")
        self.assertEqual(self.send(path)[0], 0)
        (self.saved / "report.pdf").unlink()
        code, (report,), _ = self.send(path)
        self.assertEqual((code, report["name"]), (0, "report (2).pdf"))

    def test_a_file_that_only_looks_the_same_is_another(self):
        self.start_saver()
        path = self.file("big", 1 * MIB)
        self.send(path)
        before = path.stat()
        path.write_bytes(b"x" * MIB)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        code, (report,), _ = self.send(path)
        self.assertEqual((code, report["name"]), (0, "big (2)"))
        self.assert_same(path, "big (2)")

    def test_several_senders_at_once(self):
        saver = self.start_saver("--count", "4")
        paths = [self.file(f"f{i}", 20 * MIB) for i in range(4)]
        senders = [self.start_sender(path) for path in paths]
        for sender in senders:
            code, _, err = self.ended(sender)
            self.assertEqual(code, 0, err)
        self.assertEqual(self.ended(saver)[0], 0)
        for path in paths:
            self.assert_same(path)

    @unittest.skipIf(SANITIZED, "what a sanitizer keeps says nothing")
    def test_no_program_keeps_more_of_a_large_file_than_its_window(self):
        saver = self.start_held_saver()
        sender = self.start_sender(self.file("large", LARGE))
        self.await_middle()
        saver.send_signal(signal.SIGSTOP)  # The worst case: all that may be under way is.
        self.valve.open()
        self.await_standstill()
        self.assertNotIn("large", self.names())
        peaks = {"sender": peak_memory(sender)}
        saver.send_signal(signal.SIGCONT)

        def sent():
            with contextlib.suppress(AssertionError):  # It ended just now.
                peaks["sender"] = peak_memory(sender)
            return sender.poll() is not None
        await_true(sent, "all of it is sent")
        self.assertEqual(self.ended(sender)[0], 0)
        for name, process in (("receiver", saver), ("broker", self.broker.process)):
            peaks[name] = peak_memory(process)
        for name, peak in peaks.items():
            self.assertLess(peak, 64 * MIB, name)

    def await_standstill(self):
        """Until the broker gets nothing more for bob."""
        seen = []

        def still():
            done = self.run_peer("who", self.bob, "--format", "json")
            seen.append(lines_of(done.out.decode())[0]["queued_bytes"])
            return len(seen) > 10 and len(set(seen[-10:])) == 1
        await_true(still, "the sender has no more credit")


class BrokenOffTest(FilesTest):
    def test_a_killed_broker_is_survived_by_both_ends(self):
        saver = self.start_held_saver("--count", "1")
        path = self.file("large", LARGE)
        sender = self.start_sender(path)
        for least, held_at in ((8 * MIB, 4 * Valve.HELD_AT), (3 * Valve.HELD_AT, Valve.NEVER)):
            self.await_middle(least)
            self.broker.stop(signal.SIGKILL)
            self.valve.hold_at(held_at)
            self.broker.start()
        code, (report,), err = self.ended(sender)
        self.assertEqual((code, report["name"]), (0, "large"), err)
        code, (file,), err = self.ended(saver)
        self.assertEqual((code, file["sha256"]), (0, sha256_of(path)), err)
        self.assertIn("connected again", err)
        self.assert_same(path)

    def test_a_killed_receiver_goes_on_when_it_is_started_again(self):
        saver = self.start_held_saver()
        path = self.file("large", LARGE)
        sender = self.start_sender(path)
        self.await_middle()
        self.kill(saver)
        self.assertEqual([part.name[:7] for part in self.parts()], [".large."])
        saver = self.start_saver("--count", "1")
        code, (report,), err = self.ended(sender)
        self.assertEqual((code, report["outcome"]), (0, "delivered"), err)
        code, (file,), err = self.ended(saver)
        self.assertEqual(code, 0, err)
        self.assertGreaterEqual(file["resumed_from"], 8 * MIB)
        self.assert_same(path)
        self.assertEqual(self.parts(), [])

    def test_a_killed_sender_goes_on_when_it_is_run_again_under_any_name(self):
        saver = self.start_held_saver("--count", "1")
        path = self.file("large", LARGE)
        self.kill(self.break_off(path))
        code, (report,), err = self.send(path)
        self.assertEqual(code, 0, err)
        self.assertGreaterEqual(report["resumed_from"], 8 * MIB)
        self.assertEqual(self.ended(saver)[0], 0)
        self.assert_same(path)

    def test_an_interrupted_sender_says_so_and_goes_on_later(self):
        saver = self.start_held_saver()
        path = self.file("large", LARGE)
        sender = self.break_off(path)
        sender.send_signal(signal.SIGINT)
        sender.send_signal(signal.SIGCONT)
        code, _, err = self.ended(sender)
        self.assertEqual(code, 128 + signal.SIGINT)
        self.assertRegex(err, r"interrupted: .*/large not delivered; up to .* of 200 MiB are with")
        code, (report,), _ = self.send(path)
        self.assertEqual(code, 0)
        self.assertGreaterEqual(report["resumed_from"], 8 * MIB)
        self.assertIn("stays at", self.finish(saver)[2])
        self.assert_same(path)

    def test_a_damaged_part_is_not_trusted(self):
        saver = self.start_held_saver()
        path = self.file("large", LARGE)
        self.kill(self.break_off(path))
        self.kill(saver)
        part, = self.parts()
        with open(part, "r+b") as file:
            file.seek(5 * MIB)
            file.write(b"damaged")
        saver = self.start_saver("--count", "1")
        code, (report,), err = self.send(path)
        self.assertEqual(code, 0, err)
        self.assertEqual(report["resumed_from"], 0)
        self.assertEqual(self.ended(saver)[0], 0)
        self.assert_same(path)

    def test_a_file_that_was_changed_does_not_go_on_where_the_old_one_was(self):
        self.start_held_saver()
        path = self.file("large", LARGE)
        self.kill(self.break_off(path))
        path.write_bytes(b"another")
        code, (report,), _ = self.send(path)
        self.assertEqual((code, report["resumed_from"]), (0, 0))
        self.assertEqual((self.saved / "large").read_bytes(), b"another")

    def test_a_receiver_that_does_not_come_back_is_not_waited_for_for_ever(self):
        saver = self.start_held_saver()
        sender = self.start_sender(self.file("large", LARGE), "--timeout", "20s")
        self.await_middle()
        saver.send_signal(signal.SIGTERM)
        code, (report,), err = self.ended(sender)
        self.assertEqual((code, report["outcome"]), (NOT_DELIVERED, "rejected"), err)
        self.assertIn("takes no more files now", err)
        self.assertEqual(len(self.parts()), 1)

    def test_a_receiver_that_takes_nothing_is_timed_out(self):
        saver = self.start_held_saver()
        sender = self.start_sender(self.file("large", LARGE), "--timeout", "3s")
        self.await_middle()
        saver.send_signal(signal.SIGSTOP)
        self.addCleanup(saver.send_signal, signal.SIGCONT)
        code, (report,), err = self.ended(sender)
        self.assertEqual((code, report["outcome"]), (TIMED_OUT, "timed-out"), err)
        self.assertIn("took nothing for 3s", err)

    def test_a_broker_that_does_not_come_back_is_unreachable(self):
        self.start_held_saver()
        sender = self.start_sender(self.file("large", LARGE), "--timeout", "3s")
        self.await_middle()
        self.broker.stop(signal.SIGKILL)
        self.addCleanup(self.broker.start)
        code, _, err = self.ended(sender)
        self.assertEqual(code, UNREACHABLE, err)
        self.assertIn("no broker at", err)

    def kill(self, process):
        process.kill()
        process.communicate(timeout=PATIENCE_S)

    def break_off(self, path):
        """A sender in the middle of its file, stopped. Whoever saves it is held no longer."""
        sender = self.start_sender(path)
        self.await_middle()
        sender.send_signal(signal.SIGSTOP)
        self.assertNotIn(path.name, self.names())
        self.valve.open()
        return sender


class TroubleTest(FilesTest):
    def test_what_cannot_be_sent_is_a_usage_error_and_named(self):
        os.mkfifo(self.folder / "pipe")
        good = self.file("good", b"good")
        for name, words in (("missing", "missing: No such file"), ("saved", "saved: this is a directory"),
                            ("pipe", "pipe: only regular files")):
            with self.subTest(name):
                code, reports, err = self.send(good, self.folder / name)
                self.assertEqual((code, reports), (USAGE, []))
                self.assertIn(words, err)

    def test_usage(self):
        path = str(self.file("a", b"a"))
        for arguments, words in (
                (("send", "bob", "text", "--file", path), "exclude"),
                (("send", "--file", path, "b", "bob"), "for several files"),
                (("send", "--file", path, "--content-type", "image/png", "bob"), "--content-type is for"),
                (("send", "--file", path, "--wait", "sent", "bob"), "--wait is for"),
                (("send", "--file", path), "TO"),
                (("send", "bob", "two", "words"), "quote it"),
                (("recv", "--overwrite"), "--save"),
                (("recv", "--save", path), "Not a directory"),
                (("recv", "--save", f"{path}.missing"), "a.missing: No such file"),
                (("recv", "--save", ""), "DIR is empty"),
                (("recv", "--save", str(self.saved), "--raw"), "--raw")):
            with self.subTest(arguments=arguments):
                done = self.run_peer(*arguments)
                self.assert_exit(done, USAGE)
                self.assertIn(words, done.err)

    def test_nobody_there_is_told_at_once(self):
        code, (report,), err = self.send(self.file("a", b"a"))
        self.assertEqual((code, report["outcome"]), (NOT_DELIVERED, "no-peer"))
        self.assertIn(f"a not delivered: no-peer: nobody named {self.bob} is here", err)

    def test_who_takes_no_files_says_how_to(self):
        path = self.file("a", b"a")
        for verb in (("recv",), ("chat",), ("serve", "--", "cat")):
            with self.subTest(verb):
                self.bob = f"nofiles-{verb[0]}"
                self.start_peer(verb[0], "--as", self.bob, *verb[1:], stdin=subprocess.PIPE)
                code, _, err = self.send(path)
                self.assertEqual(code, NOT_DELIVERED)
                self.assertIn(f"{self.bob} does not take files: start it with recv --save DIR", err)

    def test_a_file_that_gets_shorter_is_no_file_at_the_other_end(self):
        self.change_while_sent(lambda path: os.truncate(path, 20 * MIB), "got shorter while it was sent")

    def test_a_file_that_changes_is_no_file_at_the_other_end(self):
        self.change_while_sent(lambda path: os.truncate(path, LARGE + 1), "changed while it was sent")

    def change_while_sent(self, change, words):
        saver = self.start_held_saver()
        path = self.file("large", LARGE)
        sender = self.start_sender(path)
        self.await_middle()
        change(path)
        self.valve.open()
        code, (report,), err = self.ended(sender)
        self.assertEqual((code, report["outcome"]), (FAILED, "failed"), err)
        self.assertIn(f"{path}: it {words}", err)
        await_true(lambda: not self.names(), "the part is gone")
        self.assertIn("large from", self.finish(saver)[2])

    def test_a_file_that_is_removed_while_it_is_sent_arrives(self):
        self.start_held_saver()
        path = self.file("large", LARGE)
        sum_before = sha256_of(path)
        sender = self.start_sender(path)
        self.await_middle()
        path.unlink()
        self.valve.open()
        self.assertEqual(self.ended(sender)[0], 0)
        self.assertEqual(sha256_of(self.saved / "large"), sum_before)

    def test_a_disk_that_takes_no_more_is_told_at_both_ends(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (12 * MIB, 12 * MIB))
        saver = self.start_saver(preexec_fn=limit)
        code, reports, err = self.send(self.file("large", 20 * MIB), self.file("small", b"small"))
        self.assertEqual(code, NOT_DELIVERED)
        self.assertIn(f"{self.bob} cannot go on: large: File too large", err)
        self.assertEqual([report["outcome"] for report in reports], ["rejected", "delivered"])
        code, _, err = self.finish(saver)
        self.assertEqual(code, FAILED)
        self.assertIn("large from", err)
        self.assertNotIn("large", self.names())

    def test_a_folder_that_is_removed_is_told(self):
        self.start_saver()
        self.saved.rmdir()
        code, _, err = self.send(self.file("a", b"a"))
        self.assertEqual(code, NOT_DELIVERED)
        self.assertIn("No such file or directory", err)

    def test_two_receivers_of_one_folder_do_not_write_the_same_part(self):
        self.start_held_saver()
        path = self.file("large", LARGE)
        sender = self.start_sender(path)
        self.await_middle()
        self.bob = "bobs-brother"
        self.start_saver()
        code, _, err = self.send(path)
        self.valve.open()
        self.assertEqual(self.ended(sender)[0], 0)
        self.assertEqual((code, self.names()), (NOT_DELIVERED, ["large"]), err)
        self.assertIn("another program receives this file now", err)


if __name__ == "__main__":
    unittest.main()
