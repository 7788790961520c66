"""What becomes of three times as much as a daemon can do. Called by scripts/bench.sh."""

import argparse
import pathlib
import sys

from load import Load
from table import conditions

TIMES, GOODPUT, AFTERWARDS = 3, 0.8, 0.8
# Of outcomes, which may be kept up to limits.outcomes and then some; of unsettled calls, so much each.
OUTCOMES, PER_CALL, REST = 1 << 30, 2_048, 256 << 20
FAST = {"agents": 1_000, "connections": 100}
SLOW = {"agents": 100, "connections": 100, "type": "sleeper", "args": {"seconds": 0.01}, "options": {"mailbox": 100}}


def socket_bytes():
    """What the system holds for all TCP sockets of the machine."""
    found = pathlib.Path("/proc/net/sockstat").read_text().partition("TCP:")[2].splitlines()[0].split()
    return int(found[found.index("mem") + 1]) * 4096


class Peaks:
    def __init__(self, node):
        self.node, self.resident, self.sockets = node, 0, 0

    def __call__(self):
        self.resident = max(self.resident, self.node.resident_bytes())
        self.sockets = max(self.sockets, socket_bytes())


def mebibytes(size):
    return f"{size / 2**20:,.0f} MiB"


class Judge:
    def __init__(self):
        self.missed = False

    def __call__(self, good, text):
        self.missed |= not good
        print(f"  {text}{'' if good else '   MISSED'}")


def overload(name, load, window, count, bound, seconds, judge):
    """`window` and `count`: of a closed loop that finds the peak."""
    closed = load.keep(window, count)["per_second"]
    peak = load.sustainable(closed)
    peaks = Peaks(load.node)
    found = load.offer(TIMES * peak, seconds, peaks)
    after = load.keep(window, count)["per_second"]
    refused = sum(found["refused"].values())
    by_bound = ", ".join(f"{limit} {number:,}" for limit, number in sorted(found["refused"].items()))
    print(f"\n{name}: {load.agents:,} agents, {load.connections} connections, {seconds} s")
    print(f"  sustained {peak:,.0f} calls a second (in a closed loop {closed:,.0f});"
          f" offered {found['offered'] / seconds:,.0f}")
    judge(found["per_second"] >= GOODPUT * peak,
          f"goodput {found['per_second']:,.0f} a second, {found['per_second'] / peak:.2f} of the peak"
          f" (aim: at least {GOODPUT}); {found['per_second'] / closed:.2f} of the closed loop's")
    judge(peaks.resident <= bound, f"memory at most {mebibytes(peaks.resident)} (bound: {mebibytes(bound)});"
          f" sockets of both sides {mebibytes(peaks.sockets)}")
    judge(found["unanswered"] == 0 and found["failed"] == 0 and found["answered_twice"] == 0,
          f"of {found['offered']:,} offered the connections took {found['sent']:,}: {found['done']:,} done,"
          f" {refused:,} refused{f' ({by_bound})' if by_bound else ''}, {found['failed']:,} failed otherwise,"
          f" {found['unanswered']:,} without an answer")
    print(f"  from when a call was due to its outcome: p50 {found['p50_us'] / 1e3:,.0f} ms,"
          f" p99 {found['p99_us'] / 1e3:,.0f} ms; the last answer {found['drain_s']:.1f} s after the last call")
    judge(after >= AFTERWARDS * closed, f"afterwards {after:,.0f} a second in a closed loop, {after / closed:.2f} of"
          f" before (aim: at least {AFTERWARDS})")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--seconds", type=int, default=120)
    options = parser.parse_args()
    if options.seconds < 1:
        sys.exit(f"bench: --seconds {options.seconds}: at least 1 second is needed")
    where = conditions()
    print(f"{where['cores']} x {where['cpu']}, Linux {where['kernel']}, load {where['load_before']:.1f} before")
    judge = Judge()
    with Load(options.bin, **FAST) as load:
        overload("The node is the limit (echo)", load, 10_000, 1_500_000, OUTCOMES + REST, options.seconds, judge)
    with Load(options.bin, **SLOW) as load:
        bound = REST + SLOW["agents"] * SLOW["options"]["mailbox"] * PER_CALL
        overload("The agents are the limit (10 ms a call, mailboxes of 100)", load, 1_000, 30_000, bound,
                 options.seconds, judge)
    sys.exit(1 if judge.missed else 0)


main()
