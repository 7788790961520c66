"""Runs the benchmarks in turns and prints medians, spreads and ratios. Called by scripts/bench.sh."""

import argparse
import json
import sys
import time

from servers import Agentd, Nats, Server, http_requests_per_second, measure, seconds_until
from table import Row, conditions, printed

# So many calls take about half a second, of each kind, by how many are in flight.
COUNTS = {"agentd": {1: 8_000, 10: 40_000, 100: 200_000, 1000: 500_000, 10_000: 500_000},
          "plain": {1: 10_000, 10: 60_000},
          "batches": {100: 1_000_000, 1000: 2_000_000, 10_000: 2_000_000},
          "gRPC": {1: 2_000, 10: 8_000, 100: 15_000, 1000: 20_000, 10_000: 30_000},
          "NATS": {1: 3_000, 10: 20_000, 100: 100_000, 1000: 200_000, 10_000: 200_000}}
SIZES = {1 << 10: (100, 60_000), 16 << 10: (32, 15_000), 256 << 10: (4, 1_000)}
IDLE_AGENTS = 1_000_000
ECHO_OBJECT = 8  # bytes
CREATIONS = 100_000
SLEEPERS = 1_000_000
IDLE_CONNECTIONS = 500
CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "agent.call",
                   "params": {"agent": "echo", "input": "hello, tide", "wait_ms": 10_000, "release": True}})


class Bench:
    def __init__(self, bin_dir, peers, loops):
        self.bin, self.peers, self.loops, self.rows = bin_dir, peers, loops, {}

    def row(self, name, unit, aim=None, limit=None):
        return self.rows.setdefault(name, Row(name, unit, aim, limit))

    def run(self):
        with Agentd(self.bin, self.loops) as first, Agentd(self.bin, self.loops) as second:
            self.row("from start to ready", "ms", "at most 50").add(first.ready_ms)
            self.row("resident memory of an idle daemon", "MiB", "at most 12").add(first.resident_bytes() / 2**20)
            self.flows(first, second)
            with Server(f"{self.bin}/raw_echo", "serve") as bare:
                with Server(f"{self.bin}/raw_echo", "serve-coalesced") as coalesced:
                    self.calls(first, bare, coalesced)
                self.sizes(first, bare)
            if self.peers:
                self.http(first)
        with Agentd(self.bin, self.loops) as node:
            self.creations(node)
        with Agentd(self.bin, self.loops) as node:
            self.idle(node)
        with Agentd(self.bin, self.loops) as node:
            self.sleepers(node)

    def echo(self, what, *arguments):
        return measure(f"{self.bin}/call_bench", what, *arguments)

    def bare(self, what, *arguments):
        return measure(f"{self.bin}/raw_echo", what, *arguments)

    def calls(self, node, bare, coalesced):
        others = {}
        if self.peers:
            with Server(f"{self.bin}/grpc_echo", "serve") as server:
                others["gRPC"] = self.peer(f"{self.bin}/grpc_echo", server.port, COUNTS["gRPC"])
            with Nats(self.bin) as nats:
                others["NATS"] = self.peer(f"{self.bin}/nats_echo", nats.url, COUNTS["NATS"])
        self.round_trips(node, bare, others)
        for window, count in COUNTS["agentd"].items():
            if window in COUNTS["plain"]:
                limit, of = self.bare("plain", bare.port, COUNTS["plain"][window], window, 0), "a message a write"
            else:
                limit, of = self.bare("rate", bare.port, COUNTS["batches"][window], window), "32 a frame, simdjson"
            before = node.cpu_seconds()
            ours = self.echo("rate", node.port, count, window)["per_second"]
            cpu = (node.cpu_seconds() - before) / count * 1e6
            self.row(f"calls a second, {window:,} in flight; limit: {of}", "calls/s",
                     "at least 0.4" if window == 1000 else None, of).add(
                ours, limit=limit["per_second"], **{name: peer[window] for name, peer in others.items()})
            if window != 1000:
                continue
            self.row("CPU of the daemon for a call, 1,000 in flight", "us").add(cpu)
            for kind, port, of in (("plain", bare.port, "a message a write"),
                                   ("coalesced", coalesced.port, "many messages a write")):
                extra = (0,) if kind == "plain" else ()
                self.row(f"calls a second, 1,000 in flight; limit: {of}", "calls/s", None, of).add(
                    ours, limit=self.bare(kind, port, 100_000, window, *extra)["per_second"])

    @staticmethod
    def peer(program, where, counts):
        found = {window: measure(program, "rate", where, count, window)["per_second"] for window, count in counts.items()}
        return {**found, **measure(program, "latency", where, 3_000)}

    def round_trips(self, node, bare, others):
        limit = self.bare("latency", bare.port, 10_000)
        ours = self.echo("latency", node.port, 10_000)
        for name, key in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us")):
            self.row(f"one call at a time, {name}; limit: a message a write", "us",
                     "at most 1.25" if name == "p50" else None, "a message a write").add(
                ours[key], limit=limit[key], **{peer: found[key] for peer, found in others.items()})
        hop = self.row("chain of 8 over two daemons, a hop; limit: half a bare round trip", "us", "at most 1.5",
                       "half a bare round trip")
        hop.add(self.hop, limit=limit["p50_us"] / 2)

    def flows(self, first, second):
        self.hop = self.echo("chain", first.port, second.port, 1_000)["p50_us"]
        self.row("64 calls and one that joins them, p50", "us").add(self.echo("fan", first.port, 300)["p50_us"])

    def sizes(self, node, bare):
        for size, (window, count) in SIZES.items():
            megabytes = size / 1e6
            ours = self.echo("rate", node.port, count, window, size)["per_second"]
            limit = self.bare("plain", bare.port, count, window, size)["per_second"]
            self.row(f"texts of {size >> 10} KiB, {window} in flight; limit: a message a write", "MB/s", None,
                     "a message a write").add(ours * megabytes, limit=limit * megabytes)

    def http(self, node):
        if not hasattr(node, "has_echo"):
            node.rpc("agent.create", type="echo", agent="echo")
            node.has_echo = True
        with Server(f"{self.bin}/http_echo", "serve") as bare:
            for connections in (1, 64):
                self.row(f"HTTP calls a second, {connections} connections; limit: Beast HTTP echo", "calls/s",
                         "at least 0.6" if connections == 64 else None, "Beast HTTP echo").add(
                    http_requests_per_second(node.port, "/rpc", CALL, connections),
                    limit=http_requests_per_second(bare.port, "/", CALL, connections))

    def creations(self, node):
        seconds = node.requests_over_web_socket("agent.create", ({"type": "echo", "agent": f"one-{i}"} for i in range(CREATIONS)))
        self.row("agents made a second, one with each request", "agents/s").add(CREATIONS / seconds)

    def sleepers(self, node):
        """A million agents that sleep for 1 s: made, called, and all answers read."""
        self.row("a million sleepers", "s", "at most 10").add(
            seconds_until("answered", f"{self.bin}/million", "--port", node.port, "--count", SLEEPERS))
        self.row("peak memory of the daemon with a million sleepers", "MiB", "at most 1,536").add(
            node.resident_bytes(peak=True) / 2**20)

    def idle(self, node):
        before = node.resident_bytes()
        started = time.monotonic()
        node.rpc("agent.create_many", type="echo", count=IDLE_AGENTS, prefix="idle")
        self.row("agents made a second, many with one call", "agents/s").add(IDLE_AGENTS / (time.monotonic() - started))
        self.row("memory of an idle agent, beyond its object", "bytes", "at most 256").add(
            (node.resident_bytes() - before) / IDLE_AGENTS - ECHO_OBJECT)
        before = node.resident_bytes()
        connections = [node.web_socket() for _ in range(IDLE_CONNECTIONS)]
        self.row("memory of an idle connection", "bytes", "at most 12,288").add(
            (node.resident_bytes() - before) / IDLE_CONNECTIONS)
        for connection in connections:
            connection.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--loops", type=int, default=1)
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    if options.runs < 1:
        sys.exit(f"bench: --runs {options.runs}: at least 1 run is needed")
    where = conditions()
    bench = Bench(options.bin, not options.no_peers, options.loops)
    for _ in range(options.runs):
        bench.run()
    rows = bench.rows.values()
    if options.json:
        print(json.dumps({"conditions": where, "runs": options.runs, "loops": options.loops, "rows": [row.as_json() for row in rows]}))
        return
    print(f"{where['cores']} x {where['cpu']}, Linux {where['kernel']}, load {where['load_before']:.1f} before;"
          f" {options.loops} loops, {options.runs} runs: median (lowest to highest)\n")
    print(printed(rows))


main()
