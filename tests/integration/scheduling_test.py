#!/usr/bin/python3
"""How the kernel schedules libzmq's threads of broker and peers: docs/adr/0022."""
import os
import pathlib
import subprocess
import unittest

from programs import BIN, ProgramTest, await_true


def policies_of_io_threads(pid):
    threads = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return [os.sched_getscheduler(int(each.name)) for each in threads
            if "/IO/" in (each / "comm").read_text()]


def take_what_is_left():
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


class SchedulingTest(ProgramTest):
    def await_policy(self, pid, policy):
        # A thread has its name and its policy a moment after it began.
        await_true(lambda: policies_of_io_threads(pid) == [policy], f"{policy} of {pid}")

    def test_io_threads_do_not_preempt(self):
        bob = self.start_peer("recv", "--as", "bob")
        self.await_policy(bob.pid, os.SCHED_BATCH)
        self.await_policy(self.broker.process.pid, os.SCHED_BATCH)

    def test_who_chose_a_policy_for_a_program_keeps_it(self):
        carol = self.start_peer("recv", "--as", "carol", preexec_fn=take_what_is_left)
        self.await_policy(carol.pid, os.SCHED_IDLE)
        broker = subprocess.Popen(
            [str(BIN / "zpost-broker"), "--listen", "tcp://127.0.0.1:*", "--admin", "",
             "--state", f"{self.broker.directory}/of-another"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=take_what_is_left)
        self.addCleanup(self.end, broker)
        self.assertIn(b"listening on", broker.stdout.readline())
        self.await_policy(broker.pid, os.SCHED_IDLE)


if __name__ == "__main__":
    unittest.main()
