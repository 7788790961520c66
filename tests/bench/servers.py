"""The programs that are measured: started, looked at, and ended."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request

LIMIT = 120


class Server:
    """A server program on loopback, which ends when its standard input does. `ready` finds its port."""

    def __init__(self, *command, ready=r"(\d+)\s*$", log=subprocess.DEVNULL):
        started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.port = None
        for line in self.process.stdout:
            found = re.search(ready, line)
            if found:
                self.port = found.group(1)
                break
        self.ready_ms = (time.monotonic() - started) * 1e3
        if self.port is None:
            sys.exit(f"bench: {command[0]} did not start")

    def resident_bytes(self, peak=False):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        name = "VmHWM" if peak else "VmRSS"
        return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) * 1024

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
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Agentd(Server):
    def __init__(self, bin_dir, loops=1):
        super().__init__(f"{bin_dir}/agentd", "--port", "0", "--loops", str(loops))

    def rpc(self, method, **params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/rpc", body, timeout=LIMIT) as answer:
            answered = json.load(answer)
        if "error" in answered:
            sys.exit(f"bench: {method}: {answered['error']}")
        return answered["result"]

    def web_socket(self):
        """An open WebSocket that is never used; the caller closes it."""
        connection = socket.create_connection(("127.0.0.1", int(self.port)), timeout=LIMIT)
        connection.sendall(b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        if not connection.recv(4096).startswith(b"HTTP/1.1 101"):
            sys.exit("bench: no WebSocket was opened")
        return connection


    def requests_over_web_socket(self, method, params):
        """How many seconds it takes to answer all these, each a frame of its own, sent without waiting."""
        requests = [json.dumps({"jsonrpc": "2.0", "id": i, "method": method, "params": one}).encode()
                    for i, one in enumerate(params)]
        # Masked with zeros: what is measured is not the client.
        frames = b"".join(b"\x81" + (bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big"))
                          + bytes(4) + text for text in requests)
        with self.web_socket() as connection:
            started = time.monotonic()
            sending = threading.Thread(target=connection.sendall, args=(frames,))
            sending.start()
            answered, rest = 0, b""
            while answered < len(requests):
                got = connection.recv(1 << 20)
                if not got:
                    sys.exit(f"bench: {method}: the connection was lost after {answered} answers")
                text = rest + got
                answered += text.count(b'"result"')
                rest = text[-len(b'"result') :]
            seconds = time.monotonic() - started
            sending.join()
        return seconds


class Nats:
    """A NATS server, and a responder behind it."""

    def __init__(self, bin_dir):
        self.server = Server("nats-server", "-a", "127.0.0.1", "-p", "-1", "-l", "/dev/stdout",
                             ready=r"client connections on 127\.0\.0\.1:(\d+)")
        self.url = f"nats://127.0.0.1:{self.server.port}"
        self.responder = Server(f"{bin_dir}/nats_echo", "serve", self.url, ready="(ready)")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.responder.stop()
        self.server.stop()


def measure(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 0:
        sys.exit(f"bench: {program} {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def seconds_until(phase, program, *arguments):
    """When a program says on standard error that it was through with that phase."""
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT)
    found = re.search(rf"^{phase} .* ([\d.]+) s after the start$", done.stderr, re.MULTILINE)
    if done.returncode != 0 or not found:
        sys.exit(f"bench: {program} {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return float(found.group(1))


def http_requests_per_second(port, path, body, connections, seconds=2):
    """By wrk, one thread."""
    script = pathlib.Path(__file__).parent / "peers" / "post.lua"
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{port}{path}"],
                          capture_output=True, text=True, timeout=LIMIT, env={**os.environ, "BENCH_BODY": body})
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    if done.returncode != 0 or not found or "Non-2xx" in done.stdout:
        sys.exit(f"bench: wrk: {done.stdout}{done.stderr}")
    return float(found.group(1))
