#!/usr/bin/python3
"""zpost-inspect doctor and route against brokers, and against what is none.

ZPOST_BIN names the directory of the programs.
"""
import json
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import zmq

from programs import BIN, PATIENCE_S, REFUSED, UNREACHABLE, USAGE, await_true, environment
from tail_test import Program

WARNED = 3


class Stranger:
    """Listens, and says what it is told to anybody who connects."""

    def __init__(self, words):
        self.words = words
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.held = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
                self.held.append(connection)
                connection.sendall(self.words)
            except OSError:
                return

    @property
    def endpoint(self):
        return f"tcp://127.0.0.1:{self.socket.getsockname()[1]}"

    def close(self):
        self.socket.close()
        for connection in self.held:
            connection.close()


class Case(unittest.TestCase):
    def inspect(self, *arguments, endpoint):
        return subprocess.run([str(BIN / "zpost-inspect"), *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S,
                              env=environment(endpoint))

    def doctor(self, endpoint, *arguments):
        """Its checks by name, and its exit code."""
        done = self.inspect("doctor", "--format", "json", *arguments, endpoint=endpoint)
        return {check["check"]: check for check in map(json.loads, done.stdout.splitlines())}, \
            done.returncode


class WithoutBrokerTest(Case):
    def check_diagnosis(self, endpoint, words):
        checks, code = self.doctor(endpoint)
        self.assertEqual(code, UNREACHABLE)
        self.assertEqual(checks["broker"]["state"], "fail")
        self.assertIn(words, checks["broker"]["text"])
        # Every other program says the same when it cannot connect.
        peer = subprocess.run([str(BIN / "zpost-peer"), "who"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S,
                              env=environment(endpoint))
        self.assertEqual(peer.returncode, UNREACHABLE)
        self.assertIn(words, peer.stderr)

    def stranger(self, words):
        stranger = Stranger(words)
        self.addCleanup(stranger.close)
        return stranger.endpoint

    def test_a_closed_port(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.check_diagnosis(f"tcp://127.0.0.1:{port}", "nothing listens there")

    def test_a_host_that_does_not_exist(self):
        self.check_diagnosis("tcp://no-such-host.invalid:1234", "no-such-host.invalid")

    def test_a_server_that_says_nothing(self):
        self.check_diagnosis(self.stranger(b""), "not ZeroMQ")

    def test_a_web_server(self):
        self.check_diagnosis(self.stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not ZeroMQ")

    def test_the_admin_port_of_a_broker(self):
        with tempfile.TemporaryDirectory() as folder:
            broker = Program("zpost-broker", "--listen", "tcp://127.0.0.1:*", "--admin",
                             "127.0.0.1:*", "--state", f"{folder}/state", endpoint="")
            self.addCleanup(broker.stop, signal.SIGKILL)
            endpoint = broker.await_line("^listening on ").split()[2]
            broker.await_message("admin url=http://")
            log = next(line for line in broker.messages if "admin url=" in line)
            admin = log.split("url=http://")[1].split("/")[0]
            self.check_diagnosis(f"tcp://{admin}", "the admin port of a zpost broker")
            checks, _ = self.doctor(f"tcp://{admin}")
            self.assertIn(f"connect to {endpoint}:", checks["broker"]["advice"])

    def test_another_socket_of_zeromq(self):
        context = zmq.Context()
        self.addCleanup(context.destroy, linger=0)
        other = context.socket(zmq.REP)
        self.addCleanup(other.close, linger=0)
        port = other.bind_to_random_port("tcp://127.0.0.1")
        self.check_diagnosis(f"tcp://127.0.0.1:{port}", "REP")

    def test_a_router_that_welcomes_nobody(self):
        context = zmq.Context()
        self.addCleanup(context.destroy, linger=0)
        other = context.socket(zmq.ROUTER)
        self.addCleanup(other.close, linger=0)
        port = other.bind_to_random_port("tcp://127.0.0.1")
        self.check_diagnosis(f"tcp://127.0.0.1:{port}", "ROUTER")


class WithBrokerTest(Case):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.start_broker()

    def start_broker(self, *options):
        self.broker = Program("zpost-broker", "--listen", "tcp://127.0.0.1:*", "--state",
                              f"{self.folder}/state", *options, endpoint="")
        self.addCleanup(self.broker.stop, signal.SIGKILL)
        self.endpoint = self.broker.await_line("^listening on ").split()[2]

    def start(self, *arguments):
        started = Program("zpost-peer", *arguments, endpoint=self.endpoint)
        self.addCleanup(started.stop, signal.SIGKILL)
        return started

    def await_there(self, name, key="subscriptions", least=0):
        def listed():
            who = subprocess.run([str(BIN / "zpost-peer"), "who", "--format", "json"],
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=PATIENCE_S, env=environment(self.endpoint)).stdout
            found = [each for each in map(json.loads, who.splitlines()) if each["name"] == name]
            return found and (least == 0 or found[0].get(key, type(least)()) >= least)
        await_true(listed, f"{name} is there")

    def route(self, *arguments):
        done = self.inspect("route", *arguments, endpoint=self.endpoint)
        return done.stdout, done.returncode

    def test_a_healthy_broker(self):
        checks, code = self.doctor(self.endpoint)
        self.assertEqual(code, 0, checks)
        self.assertEqual({check["state"] for check in checks.values()}, {"ok"})

    def test_a_consumer_that_stands_still_is_named_with_since_when(self):
        bob = self.start("recv", "--as", "bob")
        self.await_there("bob")
        bob.process.send_signal(signal.SIGSTOP)
        subprocess.run([str(BIN / "zpost-peer"), "send", "--as", "alice", "--wait", "sent", "bob",
                        "too much"], timeout=PATIENCE_S, env=environment(self.endpoint), check=True)

        def warned():
            checks, code = self.doctor(self.endpoint)
            return code == WARNED and checks.get("consumer")
        check = await_true(warned, "bob takes nothing")
        self.assertRegex(check["text"], r"^bob takes nothing, since \d+ s: \d queued .* "
                                        r"\d unacknowledged")
        bob.process.send_signal(signal.SIGCONT)
        bob.await_line("too much")
        await_true(lambda: self.doctor(self.endpoint)[1] == 0, "bob goes on")

    def test_a_limit_that_is_near_is_named_with_its_key(self):
        self.broker.stop()
        self.start_broker("--peers", "2")
        self.start("recv", "--as", "bob")
        check = await_true(lambda: self.doctor(self.endpoint)[0].get("limit"), "two peers are there")
        self.assertEqual(check["text"], "peers: 2 of 2, at the limit (limits.peers)")
        self.assertIn("limits.peers", check["advice"])

    def test_a_name_that_is_held_and_one_that_is_free(self):
        self.start("recv", "--as", "bob")
        self.await_there("bob")
        checks, code = self.doctor(self.endpoint, "--name", "bob")
        self.assertEqual(code, REFUSED)
        self.assertEqual(checks["name"]["state"], "fail")
        self.assertIn("bob", checks["name"]["text"])
        checks, code = self.doctor(self.endpoint, "--name", "carol")
        self.assertEqual(code, 0, checks)
        # Nobody was disturbed.
        self.await_there("bob")

    def test_route_says_where_it_would_go(self):
        self.start("recv", "--as", "bob")
        self.await_there("bob")
        text, code = self.route("--from", "alice", "--to", "bob")
        self.assertEqual(code, 0, text)
        self.assertIn("bob", text)
        text, code = self.route("--from", "alice", "--to", "nobody")
        self.assertEqual(code, WARNED)
        self.assertIn("no-peer", text)

    def test_route_lists_who_subscribes(self):
        self.start("subscribe", "--as", "bob", "news/*")
        self.await_there("bob", least=1)
        text, code = self.route("--from", "alice", "--topic", "news/today")
        self.assertEqual(code, 0, text)
        self.assertIn("bob", text)
        self.assertEqual(self.route("--from", "alice", "--topic", "olds")[1], WARNED)

    def test_route_takes_a_service_with_or_without_its_mark(self):
        self.start("serve", "--as", "w1", "--service", "up", "--", "cat")
        self.await_there("w1", key="offers", least=["up"])
        for name in ("up", "@up"):
            text, code = self.route("--service", name)
            self.assertEqual(code, 0, text)
            self.assertIn("to up\n  given to w1 at once", text)
        self.assertEqual(self.route("--service", "@@up")[1], USAGE)

    def test_route_sends_nothing(self):
        bob = self.start("recv", "--as", "bob")
        self.await_there("bob")
        self.route("--from", "alice", "--to", "bob")
        subprocess.run([str(BIN / "zpost-peer"), "send", "--as", "alice", "bob", "the only one"],
                       timeout=PATIENCE_S, env=environment(self.endpoint), check=True)
        bob.await_line("the only one")
        self.assertEqual(len(bob.lines), 1)

    def test_wrong_use_is_explained(self):
        self.assertEqual(self.route("--from", "a b", "--to", "bob")[1], USAGE)
        self.assertEqual(self.route("--from", "alice")[1], USAGE)


del Case
if __name__ == "__main__":
    unittest.main()
