#!/usr/bin/python3
"""Metrics and health over HTTP, as Prometheus and people read them.

ZPOST_BIN names the directory of the programs.
"""
import http.client
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import unittest
import urllib.parse

import support
from raw_peer import Kind
from support import PATIENCE, wait_until

SOURCES = pathlib.Path(__file__).resolve().parents[2]
DASHBOARD = SOURCES / "docs" / "grafana" / "zpost.json"
PAGE = SOURCES / "docs" / "metrics.md"
DEFAULT_PORT = 12340

SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape: samples by name and labels, types by family."""

    def __init__(self, text):
        self.text, self.types, self.samples = text, {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            elif line and not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                self.samples[name, frozenset(LABEL.findall(labels or ""))] = float(value)

    def value(self, name, **labels):
        return self.samples[name, frozenset(labels.items())]

    def total(self, name):
        return sum(value for (each, _), value in self.samples.items() if each == name)

    def sample_names(self):
        return {name for name, _ in self.samples}


def get(address, path, method="GET"):
    """(status, body)."""
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def admin_of(broker):
    """Where the broker serves, by its log."""
    found = wait_until(lambda: re.search(r"admin url=http://([\d.]+):(\d+)/metrics", broker.log()),
                       "the broker serves metrics")
    return found[1], int(found[2])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class MetricsTest(support.Case):
    def start_with_admin(self, *flags):
        broker = self.start_broker("--admin", "127.0.0.1:*", *flags)
        return broker, admin_of(broker)

    def scrape(self, address):
        status, body = get(address, "/metrics")
        self.assertEqual(status, 200, body)
        return Metrics(body)

    def test_counters_are_those_of_stats_and_balance(self):
        broker, address = self.start_with_admin()
        count = support.scaled(20_000, 500_000)
        receiver = self.start_receiver("bob", broker, count)
        sender = self.start_sender("alice", broker, count, "bob")
        self.check_all_delivered(sender, sender.result(), count)
        receiver.result()
        lost = self.join(broker, "carol")
        for _ in range(3):
            lost.send("nobody", b"x")
        lost.outcome_of("nobody", lost.send("nobody", b"x"))
        counters = self.check_quiet(broker)
        metrics = self.scrape(address)

        value = metrics.value
        self.assertEqual(
            value("zpost_envelopes_received_total") + value("zpost_envelopes_copied_total"),
            value("zpost_envelopes_delivered_total") + value("zpost_envelopes_unconfirmed_total")
            + value("zpost_envelopes_held") + metrics.total("zpost_envelopes_failed_total"))
        for outcome, failed in counters["failed_by"].items():
            self.assertEqual(value("zpost_envelopes_failed_total", outcome=outcome), failed)
        self.assertEqual(value("zpost_envelopes_failed_total", outcome="no-peer"), 4)
        # Asking stats is a request, and its answer is sent: nothing else came since.
        self.assertEqual(value("zpost_envelopes_received_total"), counters["received"])
        self.assertGreaterEqual(value("zpost_envelopes_delivered_total"), count)

        self.assertGreaterEqual(value("zpost_delivery_seconds_count", kind="send"), count)
        self.assertEqual(value("zpost_delivery_seconds_bucket", kind="send", le="+Inf"),
                         value("zpost_delivery_seconds_count", kind="send"))
        self.assertGreater(value("zpost_delivery_seconds_sum", kind="send"), 0)
        self.assertGreater(value("zpost_received_bytes_total"), count)
        self.assertGreater(value("zpost_sent_bytes_total"), count)
        self.assertGreater(value("zpost_receipts_total"), 0)
        self.assertGreaterEqual(value("zpost_sessions_total"), 4)
        # Who asked for the statistics may still be on its way out.
        wait_until(lambda: self.scrape(address).value("zpost_peers", state="active") == 1, "one peer")
        self.assertGreater(value("zpost_recorder_records"), 0)
        self.assertGreater(value("zpost_recorder_reach_seconds"), 0)
        self.assertEqual(value("zpost_queue_bytes", state="waiting"), 0)

        again = self.scrape(address)
        for (name, labels), before in metrics.samples.items():
            if metrics.types.get(name) == "counter" or name.endswith(("_count", "_bucket")):
                self.assertGreaterEqual(again.samples[name, labels], before, name)

    def test_process_numbers_are_the_brokers(self):
        broker, address = self.start_with_admin()
        metrics = self.scrape(address)
        self.assertGreater(metrics.value("process_open_fds"), 5)
        self.assertGreater(metrics.value("process_resident_memory_bytes"), broker.process.memory() / 2)
        self.assertLess(metrics.value("process_resident_memory_bytes"), broker.process.memory() * 2)
        self.assertGreater(metrics.value("process_start_time_seconds"), 1.6e9)

    def test_health_and_readiness_follow_the_brokers_life(self):
        broker, address = self.start_with_admin("--drain-time", "60s")
        self.assertEqual(get(address, "/healthz"), (200, "ok\n"))
        self.assertEqual(get(address, "/readyz"), (200, "ok\n"))
        # A peer that takes nothing keeps it from ending.
        bob = self.join(broker, "bob", abilities=("acks",))
        alice = self.join(broker, "alice")
        alice.send("bob", b"stay")
        bob.expect(Kind.SEND)
        broker.process.signal(signal.SIGTERM)
        status, body = wait_until(lambda: next(
            (each for each in [get(address, "/readyz")] if each[0] != 200), None), "it stops")
        self.assertEqual(status, 503)
        self.assertIn("stopping", body)
        self.assertEqual(get(address, "/healthz")[0], 200)
        broker.process.signal(signal.SIGTERM)
        self.assertEqual(broker.process.exit_code(), 0)

    def test_a_restarted_broker_is_ready_once_nobody_is_waited_for(self):
        broker, address = self.start_with_admin()
        alice = self.raw(broker, "alice")
        alice.join(run="0123456789abcdef" * 2)  # As of a run before.
        alice.send("bob", b"are you back?")
        status, body = wait_until(lambda: next(
            (each for each in [get(address, "/readyz")] if each[0] != 200), None), "it waits")
        self.assertEqual(status, 503)
        self.assertIn("1 peers of the run before", body)
        self.assertEqual(self.scrape(address).value("zpost_peers", state="expected"), 1)
        bob = self.join(broker, "bob")
        self.assertEqual(bob.expect(Kind.SEND).body, b"are you back?")
        wait_until(lambda: get(address, "/readyz")[0] == 200, "it is ready")

    def test_only_get_and_head_are_served(self):
        _, address = self.start_with_admin()
        self.assertEqual(get(address, "/healthz", "HEAD"), (200, ""))
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            self.assertEqual(get(address, "/metrics", method)[0], 405, method)
        self.assertEqual(get(address, "/other")[0], 404)

    def test_a_taken_default_address_is_a_warning_and_the_broker_serves_peers(self):
        with socket.socket() as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                holder.bind(("127.0.0.1", DEFAULT_PORT))
                holder.listen()
            except OSError:
                pass  # Another broker has it: as good.
            broker = self.start_broker("--admin", "auto")
            if self.serves_or_warns(broker) == "serves":
                # The other one ended meanwhile. Now this one has it.
                broker = self.start_broker("--admin", "auto")
                self.assertEqual(self.serves_or_warns(broker), "warns")
            self.check_alive(broker)

    def serves_or_warns(self, broker):
        """What came of the default address."""
        taken = r"warning +admin cannot serve on http://127.0.0.1:12340.*--admin"

        def said():
            if re.search(taken, broker.log()):
                return "warns"
            return "serves" if re.search(r"admin url=http://127.0.0.1:12340/", broker.log()) else None
        return wait_until(said, "the warning")

    def test_a_taken_configured_address_is_an_error(self):
        _, address = self.start_with_admin()
        done = subprocess.run(
            [support.BROKER, "--listen", "tcp://127.0.0.1:*", "--state", self.folder / "other",
             "--admin", f"{address[0]}:{address[1]}", "--log-level", "off"],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stderr, r"^zpost-broker: admin.listen: cannot serve on http://\S+: "
                                      r"Address already in use\n$")
        self.assertEqual(done.stdout, "")  # "listening" is for who waits until all is up.

    def test_wrong_addresses_are_usage_errors(self):
        for address, word in (("nowhere", "nowhere"), ("127.0.0.1:0", "65535"),
                              ("localhost:9000", "numeric"), ("0.0.0.0:9000", "--insecure")):
            done = subprocess.run([support.BROKER, "--admin", address, "--check-config"],
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual(done.returncode, 2, address)
            self.assertIn(word, done.stderr)

    def test_an_empty_address_serves_nowhere(self):
        broker = self.start_broker("--admin", "")
        wait_until(lambda: "started" in broker.log(), "it started")
        self.assertNotIn("admin", broker.log())
        self.check_alive(broker)

    @unittest.skipUnless(shutil.which("promtool"), "no promtool: tools/setup.sh --test installs it")
    def test_promtool_finds_nothing_wrong(self):
        broker, address = self.start_with_admin()
        self.check_alive(broker)
        done = subprocess.run(["promtool", "check", "metrics"], input=self.scrape(address).text,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    @unittest.skipUnless(shutil.which("prometheus"), "no prometheus: tools/setup.sh --test installs it")
    def test_prometheus_scrapes_it(self):
        broker, address = self.start_with_admin()
        port = free_port()
        config = self.folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            "scrape_configs:\n"
            f"- {{job_name: zpost, static_configs: [{{targets: ['{address[0]}:{address[1]}']}}]}}\n")
        self.start("prometheus", [
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=1h",
            "--log.level=warn"])

        def query(expression):
            """The values of the result, one a series."""
            try:
                status, body = get(("127.0.0.1", port),
                                   "/api/v1/query?query=" + urllib.parse.quote(expression))
            except OSError:
                return []  # It is not up yet.
            if status != 200:
                return []
            return [float(each["value"][1]) for each in json.loads(body)["data"]["result"]]

        wait_until(lambda: query("up") == [1], "prometheus scraped", 60, pause=0.1)
        self.check_alive(broker)
        wait_until(lambda: query("zpost_envelopes_unconfirmed_total") == [1], "it sees the envelope",
                   60, pause=0.1)
        self.assertEqual(query("count(zpost_build_info)"), [1])
        self.assertEqual(query("scrape_samples_scraped > 50") != [], True)
        quantile = query('histogram_quantile(0.99, zpost_delivery_seconds_bucket{kind="send"})')
        self.assertEqual(len(quantile), 1)

        # What the dashboard asks is understood, and is of metrics that there are.
        for expression in expressions(json.loads(DASHBOARD.read_text())):
            status, body = get(("127.0.0.1", port), "/api/v1/query?query="
                               + urllib.parse.quote(without_variables(expression)))
            self.assertEqual(status, 200, f"{expression}: {body}")


def expressions(panel):
    """Every query of a dashboard."""
    found = [target["expr"] for target in panel.get("targets", [])]
    for inner in panel.get("panels", []):
        found += expressions(inner)
    return found


def without_variables(expression):
    return expression.replace("$__rate_interval", "1m").replace("$instance", ".*")


class DocumentsTest(support.Case):
    """The page and the dashboard speak of the metrics that there are."""

    def names(self):
        broker = self.start_broker("--admin", "127.0.0.1:*")
        status, body = get(admin_of(broker), "/metrics")
        self.assertEqual(status, 200)
        return Metrics(body)

    def test_the_dashboard_asks_only_for_metrics_that_there_are(self):
        there = self.names().sample_names()
        asked = set()
        for expression in expressions(json.loads(DASHBOARD.read_text())):
            asked |= set(re.findall(r"\b(?:zpost|process)_\w+", expression))
        self.assertGreater(len(asked), 10)
        self.assertLessEqual(asked, there)

    def test_the_dashboard_is_one_that_grafana_reads(self):
        dashboard = json.loads(DASHBOARD.read_text())
        self.assertEqual(dashboard["title"], "zpost")
        self.assertTrue(dashboard["uid"])
        panels = dashboard["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        for panel in panels:
            self.assertTrue(panel["title"] and panel["type"] and panel["gridPos"], panel)
            if panel["type"] != "row":
                self.assertTrue(panel["targets"], panel["title"])

    def test_the_page_lists_every_metric_with_its_type(self):
        listed = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", PAGE.read_text(), re.M))
        self.assertEqual(listed, self.names().types)


if __name__ == "__main__":
    unittest.main()
