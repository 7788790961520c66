"""One agentd, started for a test and gone with it."""

import json
import os
import select
import signal
import subprocess
import time
import urllib.error
import urllib.request

AGENTD = os.environ["AGENTD"]
LIMIT = 30  # seconds; whatever takes longer has failed


def run(*arguments, **options):
    """Runs agentd to its end; answers (exit code, stdout, stderr)."""
    done = subprocess.run([AGENTD, *arguments], capture_output=True, text=True, timeout=LIMIT, **options)
    return done.returncode, done.stdout, done.stderr


def wait_for(what, described):
    """Answers what `what()` answers once that is true."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        answer = what()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"never came: {described}")


class Daemon:
    """Serves on a free port from `with` on. Reads standard error into `log_lines`."""

    def __init__(self, *arguments, env=None, stderr=subprocess.PIPE):
        port = [] if "--port" in arguments else ["--port", "0"]
        self.process = subprocess.Popen(
            [AGENTD, *port, *arguments], stdout=subprocess.PIPE, stderr=stderr, env={**os.environ, **(env or {})}
        )
        self.log = b""

    def __enter__(self):
        self.line = self.first_line()
        self.host, _, port = self.line.split()[-1].rpartition(":")
        self.port = int(port)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LIMIT)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    def first_line(self):
        readable, _, _ = select.select([self.process.stdout], [], [], LIMIT)
        line = self.process.stdout.readline().decode() if readable else ""
        if not line.startswith("agentd listening on "):
            self.process.kill()
            raise AssertionError(f"not started: {line!r} {self.process.stderr.read() if self.process.stderr else ''}")
        return line

    def log_lines(self):
        """What has been logged so far, line by line."""
        while select.select([self.process.stderr], [], [], 0)[0]:
            read = os.read(self.process.stderr.fileno(), 65536)
            if not read:
                break
            self.log += read
        return self.log.decode().splitlines()

    def logged(self, part):
        return wait_for(lambda: [line for line in self.log_lines() if part in line], f"log line with {part!r}")[0]

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM):
        """Sends the signal and answers the exit code."""
        self.send(number)
        return self.process.wait(LIMIT)

    def rest_of_stdout(self):
        return self.process.stdout.read().decode()

    def status_of(self, path, token=None):
        request = urllib.request.Request(f"http://{self.host}:{self.port}{path}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code

    def rpc(self, method, **params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(f"http://{self.host}:{self.port}/rpc", data=body)
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            return json.load(answer)
