"""What tests say to nodes and read from their answers."""

import datetime

FOREVER = {"seconds": 600}
BUSY = {"iterations": 1_000_000_000}  # a burner that no machine is done with before its test gives it up
OVERDUE = 2  # seconds after its deadline by which a call has settled


def reference(node, agent):
    return {"$agent": {"host": node.host, "port": node.port, "agent": agent}}


def placeholder(node, call, host=None, port=None):
    return {"$placeholder": {"host": host or node.host, "port": port or node.port, "call": call}}


def causes(error):
    """The error and what caused it, down to the root."""
    chain = [error]
    while "cause" in chain[-1].get("data", {}):
        chain.append(chain[-1]["data"]["cause"])
    return chain


def kinds(error):
    return [one["data"]["kind"] for one in causes(error)]


def seconds(timing):
    """From acceptance to the end, by the node's own clock."""
    accepted, settled = (datetime.datetime.fromisoformat(timing[name]) for name in ("accepted", "settled"))
    return (settled - accepted).total_seconds()
