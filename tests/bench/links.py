"""What it costs that nodes know each other: links, values that travel over them, and bytes on the wire."""

import contextlib
import json
import re
import time
import urllib.request

from servers import Agentd

LINKS = 16
VALUES, AT_ONCE = 30_000, 3_000


def batch(node, calls):
    """`agent.call`s over HTTP, none of which waits."""
    body = json.dumps([{"jsonrpc": "2.0", "id": i, "method": "agent.call", "params": params}
                       for i, params in enumerate(calls)]).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{node.port}/rpc", body) as answers:
        refused = next((answer["error"] for answer in json.load(answers) if "error" in answer), None)
    if refused:
        raise SystemExit(f"bench: a call was refused: {refused}")


def metric(node, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{node.port}/metrics") as text:
        return float(re.search(rf"^{name} (\S+)$", text.read().decode(), re.MULTILINE).group(1))


def peer_bytes(node):
    return metric(node, "agentd_peer_received_bytes_total") + metric(node, "agentd_peer_sent_bytes_total")


def placeholder(node, call):
    return {"$placeholder": {"host": "127.0.0.1", "port": int(node.port), "call": call}}


def call_id(number):
    return f"value-number-{number:08}"


def follow(hub, node, numbers):
    """Calls on the hub that each have an outcome of the node as their input; back when all have settled."""
    for begin in range(0, len(numbers), AT_ONCE):
        batch(hub, [{"agent": "echo", "input": placeholder(node, call_id(number)) if node else "hello, tide"}
                    for number in numbers[begin:begin + AT_ONCE]])
    while metric(hub, "agentd_calls_unsettled") > 0:
        time.sleep(0.01)


def spent(nodes, work):
    """CPU of each node in seconds."""
    before = [node.cpu_seconds() for node in nodes]
    work()
    return [node.cpu_seconds() - start for node, start in zip(nodes, before)]


def between_nodes(bin_dir):
    """What a link takes at who dials, and what a value takes that travels there. Who is dialled has a WebSocket more."""
    with contextlib.ExitStack() as open_nodes:
        hub, *others = [open_nodes.enter_context(Agentd(bin_dir)) for _ in range(1 + LINKS)]
        for node in (hub, *others):
            node.rpc("agent.create", type="echo", agent="echo")
            batch(node, [{"agent": "echo", "input": "hello, tide", "call": call_id(i)} for i in range(LINKS)])
        follow(hub, others[0], [0])
        before = hub.resident_bytes()
        for node in others[1:]:
            follow(hub, node, [0])
        link = (hub.resident_bytes() - before) / (LINKS - 1)
        node, numbers = others[0], range(LINKS, LINKS + VALUES)
        for begin in range(0, VALUES, AT_ONCE):
            batch(node, [{"agent": "echo", "input": "hello, tide", "call": call_id(i)} for i in numbers[begin:begin + AT_ONCE]])
        plain, _ = spent((hub, node), lambda: follow(hub, None, numbers))
        before = peer_bytes(hub)
        taker, giver = spent((hub, node), lambda: follow(hub, node, numbers))
        wire = peer_bytes(hub) - before
    return {"a link, bytes at who dials": link, "a value from there, CPU us at who asks": (taker - plain) / VALUES * 1e6,
            "and at who has it": giver / VALUES * 1e6, "a value from there, bytes on the wire": wire / VALUES}
