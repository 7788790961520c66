"""Throughput and p99 against load, measured and drawn. Called by scripts/bench.sh."""

import argparse
import pathlib

from load import Load
from svg import Chart, page
from table import aligned, conditions

AGENTS, CONNECTIONS = 1_000, 100
WINDOW, COUNT = 10_000, 1_500_000
# Of a closed loop's rate.
LOADS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0)
SECONDS = 4


def measured(load):
    closed = load.keep(WINDOW, COUNT)["per_second"]
    for share in LOADS:
        found = load.offer(closed * share, SECONDS)
        yield {"offered": found["offered"] / SECONDS, "done": found["per_second"], "p50": found["p50_us"] / 1e3,
               "p99": found["p99_us"] / 1e3, "held back": (found["offered"] - found["sent"]) / SECONDS,
               "refused": sum(found["refused"].values()) / SECONDS}


def drawn(points, conditions_text):
    offered = [point["offered"] for point in points]
    done = Chart("Outcomes a second", "calls offered a second", offered)
    done.line("as many as are offered", [(x, min(x, max(offered))) for x in offered], dashed=True)
    done.line("done", [(point["offered"], point["done"]) for point in points])
    times = Chart("From due to outcome, milliseconds", "calls offered a second", offered, log=True)
    times.line("p99", [(point["offered"], point["p99"]) for point in points])
    times.line("p50", [(point["offered"], point["p50"]) for point in points])
    return page("agentd: throughput and time against load", conditions_text, [done, times])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--out", default="throughput.svg")
    options = parser.parse_args()
    where = conditions()
    text = (f"{AGENTS:,} echo agents, {CONNECTIONS} connections, {SECONDS} s a point; {where['cores']} x {where['cpu']},"
            f" Linux {where['kernel']}")
    with Load(options.bin, AGENTS, CONNECTIONS) as load:
        points = list(measured(load))
    heads = list(points[0])
    print(f"{text}, load {where['load_before']:.1f} before\ncalls a second, and milliseconds from due to outcome")
    print(aligned([heads, *([f"{point[head]:,.{2 if head[0] == 'p' else 0}f}" for head in heads] for point in points)],
                  left=()))
    pathlib.Path(options.out).write_text(drawn(points, text))
    print(f"drawn into {options.out}")


main()
