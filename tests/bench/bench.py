"""Runs the benchmarks in turns and prints medians, spreads and ratios. Called by scripts/bench.sh."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

LIMIT = 120
IN_FLIGHT = 1000


class Server:
    """A server program: its port is the number at the end of the first line that it prints."""

    def __init__(self, *command):
        started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        self.ready_ms = (time.monotonic() - started) * 1e3
        if not line:
            sys.exit(f"bench: {command[0]} did not start")
        self.port = line.strip().rpartition(":")[2]

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def measure(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 0:
        sys.exit(f"bench: {program} {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


class Row:
    """One line of the table: what agentd and the bare echo needed, run by run."""

    def __init__(self, name, unit, target=None):
        self.name, self.unit, self.target = name, unit, target
        self.ours, self.bare = [], []

    def add(self, ours, bare=None):
        self.ours.append(ours)
        if bare is not None:
            self.bare.append(bare)

    def ratio(self):
        """The median of the ratios, run by run: the machine drifts between runs."""
        return statistics.median(a / b for a, b in zip(self.ours, self.bare)) if self.bare else None

    def as_json(self):
        return {"name": self.name, "unit": self.unit, "agentd": spread(self.ours),
                "bare": spread(self.bare) if self.bare else None, "ratio": self.ratio(), "target": self.target}


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def shown(values):
    if not values:
        return ""
    digits = 0 if statistics.median(values) >= 1000 else 1 if statistics.median(values) >= 10 else 2
    return (f"{statistics.median(values):,.{digits}f}"
            f" ({min(values):,.{digits}f} to {max(values):,.{digits}f})")


def run_all(bin_dir, runs):
    rate = Row(f"echo, {IN_FLIGHT} in flight, beside 32 messages a frame with simdjson", "calls/s",
               "at least 0.2")
    p50 = Row("one echo at a time, p50", "us", "at most 1.5")
    p99 = Row("one echo at a time, p99", "us")
    hop = Row("chain of 8 over two daemons, a hop, beside half a bare round trip", "us")
    cpu = Row(f"CPU of the daemon for a call, {IN_FLIGHT} in flight", "us")
    memory = Row("resident memory of an idle daemon", "MiB", "at most 15 MiB")
    ready = Row("from start to ready", "ms", "at most 100 ms")
    raw, bench = f"{bin_dir}/raw_echo", f"{bin_dir}/call_bench"
    for _ in range(runs):
        servers = [Server(raw, "serve"), Server(f"{bin_dir}/agentd", "--port", "0"),
                   Server(f"{bin_dir}/agentd", "--port", "0")]
        bare, first, second = servers
        try:
            ready.add(first.ready_ms)
            memory.add(first.resident_kib() / 1024)
            bare_trip = measure(raw, "latency", bare.port, 20000)
            trip = measure(bench, "latency", first.port, 20000)
            p50.add(trip["p50_us"], bare_trip["p50_us"])
            p99.add(trip["p99_us"], bare_trip["p99_us"])
            bare_rate = measure(raw, "rate", bare.port, 2_000_000, IN_FLIGHT)
            calls, before = 500_000, first.cpu_seconds()
            rate.add(measure(bench, "rate", first.port, calls, IN_FLIGHT)["per_second"], bare_rate["per_second"])
            cpu.add((first.cpu_seconds() - before) / calls * 1e6)
            hop.add(measure(bench, "chain", first.port, second.port, 2000)["p50_us"], bare_trip["p50_us"] / 2)
        finally:
            for server in servers:
                server.stop()
    return [rate, p50, p99, hop, cpu, memory, ready]


def conditions():
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "load_before": os.getloadavg()[0], "kernel": os.uname().release}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if options.runs < 1:
        sys.exit(f"bench: --runs {options.runs}: at least 1 run is needed")
    where = conditions()
    rows = run_all(options.bin, options.runs)
    if options.json:
        print(json.dumps({"conditions": where, "runs": options.runs, "rows": [row.as_json() for row in rows]}))
        return
    print(f"{where['cores']} x {where['cpu']}, Linux {where['kernel']}, load {where['load_before']:.1f} before;"
          f" {options.runs} runs: median (lowest to highest)\n")
    print(f"{'':70} {'agentd':>34} {'bare echo':>36} {'ratio':>6}  aim")
    for row in rows:
        ratio = "" if row.ratio() is None else f"{row.ratio():.2f}"
        print(f"{row.name:70} {shown(row.ours):>28} {row.unit:>5} {shown(row.bare):>36} {ratio:>6}  {row.target or ''}")


main()
