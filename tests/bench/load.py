"""A load of calls on one daemon, by load_bench; and how much of it the daemon can sustain."""

import json
import resource
import subprocess
import sys
import time

from servers import Agentd

STEPS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
STEP_SECONDS = 4


def raise_open_files(needed):
    """Children inherit it; the daemon takes all it may have anyway."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < needed:
        sys.exit(f"bench: {needed} open files are needed, and {most} are allowed: raise the hard limit (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Load:
    """Calls to agents of a daemon that it owns, spread over agents and connections."""

    def __init__(self, bin_dir, agents, connections, **creation):
        self.bin, self.prefix, self.agents, self.connections = bin_dir, "load", agents, connections
        self.node = Agentd(bin_dir)
        self.node.rpc("agent.create_many", count=agents, prefix=self.prefix, **{"type": "echo", **creation})

    def offer(self, rate, seconds, watch=lambda: None):
        """An open loop. `watch` is called ten times a second meanwhile."""
        return self.run(["offer", self.node.port, self.prefix, self.agents, self.connections, round(rate), seconds], watch)

    def keep(self, window, count):
        """A closed loop: so many in flight."""
        return self.run(["keep", self.node.port, self.prefix, self.agents, self.connections, window, count], lambda: None)

    def run(self, arguments, watch):
        before = self.node.cpu_seconds()
        command = [f"{self.bin}/load_bench", *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
            while program.poll() is None:
                watch()
                time.sleep(0.1)
            found, wrong = program.communicate()
        if program.returncode != 0:
            sys.exit(f"bench: {' '.join(command)}: {wrong.strip()}")
        measured = json.loads(found)
        measured["cpu_us"] = (self.node.cpu_seconds() - before) / max(1, measured["done"]) * 1e6
        return measured

    def sustainable(self, closed):
        """The highest step down from a closed loop's rate at which nothing is held back or refused."""
        for step in STEPS:
            found = self.offer(closed * step, STEP_SECONDS)
            if found["done"] == found["offered"] and found["done_in_time"] >= 0.97 * found["offered"]:
                return closed * step
        sys.exit(f"bench: not even {STEPS[-1]:.0%} of a closed loop's {closed:,.0f} calls a second are sustained")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.node.stop()
