"""What was measured: rows of medians, spreads and ratios."""

import os
import statistics

PEERS = ("limit", "gRPC", "NATS")


class Row:
    """One line: what agentd needed, and beside it the limit of the machine and others, run by run."""

    def __init__(self, name, unit, aim=None, limit=None):
        self.name, self.unit, self.aim, self.limit = name, unit, aim, limit
        self.ours = []
        self.others = {peer: [] for peer in PEERS}

    def add(self, ours, **others):
        self.ours.append(ours)
        for peer, value in others.items():
            self.others[peer].append(value)

    def ratio(self, peer):
        """The median of the ratios, run by run: the machine drifts between runs."""
        others = self.others[peer]
        return statistics.median(a / b for a, b in zip(self.ours, others)) if others else None

    def as_json(self):
        return {"name": self.name, "unit": self.unit, "agentd": spread(self.ours), "limit_is": self.limit,
                **{peer: spread(values) if values else None for peer, values in self.others.items()},
                "ratios": {peer: self.ratio(peer) for peer in PEERS}, "aim": self.aim}

    def cells(self):
        ratios = [self.ratio(peer) for peer in PEERS]
        return [self.name, self.unit, shown(self.ours),
                *(f"{middle(self.others[peer])} ({ratio:.2f})" if ratio is not None else ""
                  for peer, ratio in zip(PEERS, ratios)), self.aim or ""]


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def digits_of(value):
    return 0 if value >= 1000 else 1 if value >= 10 else 2


def middle(values):
    return f"{statistics.median(values):,.{digits_of(statistics.median(values))}f}"


def shown(values):
    digits = digits_of(statistics.median(values))
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def printed(rows):
    heads = ["", "", "agentd", "limit (ratio)", "gRPC (ratio)", "NATS (ratio)", "aim"]
    return aligned([heads, *(row.cells() for row in rows)], left=(0, 1, len(heads) - 1))


def aligned(lines, left=(0,)):
    """`left`: the columns that are no numbers."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) if column in left else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


def conditions():
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "load_before": os.getloadavg()[0], "kernel": os.uname().release}
