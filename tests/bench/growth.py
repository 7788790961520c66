"""What a call costs, and what it takes of memory, as agents and connections become more. Called by scripts/bench.sh."""

import argparse
import statistics

from links import batch, between_nodes, metric
from load import Load, raise_open_files
from table import aligned, conditions

AGENTS = (1_000, 10_000, 100_000, 1_000_000)
CONNECTIONS = (1, 100, 10_000)
CALLS, IN_FLIGHT = 500_000, 10_000
RUNS = 3
HELD, HELD_AT_ONCE = 50_000, 5_000
FLAT = 1.25


def cpu_us(load, calls=CALLS):
    """Of the daemon, for a call; once to warm up, then the median."""
    return statistics.median([load.keep(IN_FLIGHT, calls)["cpu_us"] for _ in range(RUNS + 1)][1:])


def hold(node, agent):
    """Bytes that each of many calls takes in the daemon that nobody releases."""
    before = node.resident_bytes()
    for _ in range(HELD // HELD_AT_ONCE):
        batch(node, [{"agent": agent, "input": "hello, tide", "caller": "growth"}] * HELD_AT_ONCE)
    return (node.resident_bytes() - before) / HELD


def by_agents(bin_dir):
    for agents in AGENTS:
        with Load(bin_dir, 1_000, 1) as load:
            node = load.node
            before = node.resident_bytes()
            node.rpc("agent.create_many", type="echo", count=agents, prefix="many")
            per_agent = (node.resident_bytes() - before) / agents
            node.rpc("agent.create", type="sleeper", agent="held", args={"seconds": 600}, options={"mailbox": HELD + 1})
            per_call = hold(node, "held")
            node.rpc("agent.delete", agent="held")
            load.prefix, load.agents = "many", agents
            yield agents, cpu_us(load), per_agent, per_call


def wire_bytes(load):
    names = ("agentd_received_bytes_total", "agentd_sent_bytes_total")
    before = sum(metric(load.node, name) for name in names)
    load.keep(IN_FLIGHT, CALLS)
    return (sum(metric(load.node, name) for name in names) - before) / CALLS


def by_connections(bin_dir):
    for connections in CONNECTIONS:
        with Load(bin_dir, 1_000, connections) as load:
            with Idle(load.node, connections) as idle:
                per_connection = idle.bytes_each
            yield f"{connections:,}", cpu_us(load, CALLS if connections < 10_000 else CALLS // 4), per_connection
    with Load(bin_dir, 1_000, CONNECTIONS[1]) as load:
        with Idle(load.node, CONNECTIONS[2] - CONNECTIONS[1]) as idle:
            yield f"{CONNECTIONS[2]:,}, of which {CONNECTIONS[1]} are used", cpu_us(load), idle.bytes_each


class Idle:
    """WebSockets that nobody uses, and what each takes in the daemon."""

    def __init__(self, node, connections):
        # The first one makes what all of them share.
        node.web_socket().close()
        before = node.resident_bytes()
        self.opened = [node.web_socket() for _ in range(connections)]
        self.bytes_each = (node.resident_bytes() - before) / connections

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.opened:
            connection.close()


def beside(values):
    """Each value with its ratio to the first, and a mark where it is not flat."""
    return [f"{value:,.{2 if value < 100 else 0}f} ({value / values[0]:.2f}{'!' if value > FLAT * values[0] else ''})"
            for value in values]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    options = parser.parse_args()
    raise_open_files(2 * CONNECTIONS[-1])
    where = conditions()
    print(f"{where['cores']} x {where['cpu']}, Linux {where['kernel']}, load {where['load_before']:.1f} before."
          f" In brackets: beside the first row; ! where it is more than {FLAT} times as much.\n")
    rows = list(by_agents(options.bin))
    print(f"one connection, {IN_FLIGHT:,} in flight")
    print(aligned([["agents", "CPU us a call", "bytes an agent", "bytes a call that waits"],
                   *zip([f"{row[0]:,}" for row in rows], *(beside([row[i] for row in rows]) for i in (1, 2, 3)))]))
    rows = list(by_connections(options.bin))
    print(f"\n1,000 agents, {IN_FLIGHT:,} in flight on all connections together")
    print(aligned([["connections", "CPU us a call", "bytes an idle connection"],
                   *zip([row[0] for row in rows], beside([row[1] for row in rows]), [f"{row[2]:,.0f}" for row in rows])]))
    print()
    with Load(options.bin, 1_000, 1) as load:
        print(f"an outcome that is kept: {hold(load.node, 'load-0'):,.0f} bytes")
        print(f"a call on the wire: {wire_bytes(load):,.0f} bytes, both ways, its release included")
    for what, value in between_nodes(options.bin).items():
        print(f"{what}: {value:,.{1 if value < 100 else 0}f}")


main()
