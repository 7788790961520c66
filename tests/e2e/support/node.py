"""One agentd, started for a test and gone with it, and what a person can do with it over HTTP."""

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from support.sanitizer import sanitized, sanitizer_reports

LIMIT = 60  # seconds; whatever takes longer has failed, on a busy machine too

_SANITIZER_SAYS = re.compile(r"^.*(Sanitizer: |: runtime error: )", re.MULTILINE)

_agentd = None


def main():
    """Runs the tests of the calling file against the agentd that the first argument names."""
    global _agentd
    _agentd = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)


def wait_for(what, described, limit=LIMIT):
    """Answers what `what()` answers once that is true."""
    until = time.monotonic() + limit
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"never came within {limit} s: {described}")
        time.sleep(0.005)


def agentd():
    """The path of the program that is tested."""
    return _agentd


class RpcError(Exception):
    """An error answer. `kind`, `code`, `data` as the wire has them."""

    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.error = error
        self.code = error["code"]
        self.message = error["message"]
        self.data = error.get("data", {})
        self.kind = self.data.get("kind")


class Answer:
    """What came over HTTP."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


def several_loops():
    """Whether the nodes of this run have more than one event loop."""
    return os.environ.get("AGENTD_TEST_LOOPS", "1") != "1"


class Node:
    """agentd on a free port, from the constructor until `end` or `kill`. Its log goes to a file.

    `port` None leaves the port to what the flags and the configuration say."""

    def __init__(self, *flags, config=None, port=0, before=(), preexec=None):
        self.directory = tempfile.TemporaryDirectory(prefix="agentd-e2e-")
        arguments = [*([] if port is None else ["--port", str(port)]), *flags]
        # The suite runs with one loop, and with several.
        if "AGENTD_TEST_LOOPS" in os.environ and "--loops" not in flags:
            arguments += ["--loops", os.environ["AGENTD_TEST_LOOPS"]]
        if config is not None:
            path = os.path.join(self.directory.name, "config.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(config, file)
            arguments += ["--config", path]
        self.log_path = os.path.join(self.directory.name, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [*before, _agentd, *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, preexec_fn=preexec)
        try:
            self.host, self.port = self._listening()
        except BaseException:
            self.kill()
            raise

    def _listening(self):
        readable, _, _ = select.select([self.process.stdout], [], [], LIMIT)
        line = self.process.stdout.readline().decode() if readable else ""
        if not line.startswith("agentd listening on "):
            raise AssertionError(f"not started: {line!r}, log: {self.log()}")
        host, _, port = line.split()[-1].rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self, limit=LIMIT):
        """The exit code, once it has ended."""
        return self.process.wait(limit)

    def end(self, number=signal.SIGTERM, limit=LIMIT):
        self.send_signal(number)
        return self.wait(limit)

    def kill(self):
        """Ends it whatever state it is in. May be called again."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LIMIT)
        self.process.stdout.close()
        found = self._sanitizer_found()
        self.directory.cleanup()
        if found:
            raise AssertionError(found)

    def _sanitizer_found(self):
        """What a sanitizer that agentd was built with said, to its end; empty where it was content."""
        said = sanitizer_reports(self.pid)
        if os.path.exists(self.log_path):
            said += self.log()
        start = _SANITIZER_SAYS.search(said)
        return said[start.start():] if start else ""

    def memory(self):
        """Resident bytes. Always 0 under a sanitizer, whose own memory is most of it: nothing grows there."""
        if os.environ.get("AGENTD_SANITIZED"):
            return 0
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # HTTP

    def http(self, method, path, body=None, headers=None, limit=LIMIT):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=limit)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **options):
        return self.http("GET", path, **options)

    def post(self, body, **options):
        """Any body to /rpc, text or bytes or what becomes JSON."""
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode("utf-8", "surrogatepass")
        return self.http("POST", "/rpc", body=body, **options)

    def metrics(self):
        """The figures of /metrics by name."""
        lines = self.get("/metrics").body.decode().splitlines()
        return {name: float(value) for name, value in (line.split() for line in lines if not line.startswith("#"))}

    # JSON-RPC

    def answer(self, rpc_method, /, patience=LIMIT, **params):
        """The whole answer to a request."""
        request = {"jsonrpc": "2.0", "id": 1, "method": rpc_method}
        if params:
            request["params"] = params
        answer = self.post(request, limit=patience)
        if answer.status != 200:
            raise AssertionError(f"{rpc_method} brought {answer.status}: {answer.body[:300]!r}")
        return answer.json

    def rpc(self, rpc_method, /, patience=LIMIT, **params):
        """The result; raises RpcError where the answer is an error."""
        answer = self.answer(rpc_method, patience=patience, **params)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def create(self, type, agent=None, **members):
        """Makes an agent; answers its id."""
        if agent:
            members["agent"] = agent
        return self.rpc("agent.create", type=type, **members)["agent"]

    def call(self, agent, input=None, **params):
        """Calls without waiting; answers the result: call, state, placeholder."""
        return self.rpc("agent.call", agent=agent, input=input, **params)

    def ask(self, agent, input=None, wait_ms=45000, **params):
        """Calls, waits, and answers the content of the outcome."""
        result = self.rpc("agent.call", agent=agent, input=input, wait_ms=wait_ms, **params)
        if "value" not in result:
            raise AssertionError(f"no value within {wait_ms} ms: {result}")
        return result["value"]["content"]

    def outcome(self, call, wait_ms=45000):
        """What call.get says once the call has settled."""
        got = self.rpc("call.get", call=call, wait_ms=wait_ms, patience=wait_ms / 1000 + LIMIT)
        if got["state"] not in ("done", "failed", "cancelled"):
            raise AssertionError(f"not settled within {wait_ms} ms: {got}")
        return got

    def state_of(self, call):
        return self.rpc("call.get", call=call)["state"]

    def wait_state(self, call, *states):
        return wait_for(lambda: self.state_of(call) in states, f"{call} in {states}")


def curl(*arguments, limit=LIMIT):
    """What curl prints."""
    done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, timeout=limit, check=False)
    if done.returncode != 0:
        raise AssertionError(f"curl left with {done.returncode}: {done.stderr}")
    return done.stdout


class Case(unittest.TestCase):
    """A test that may start nodes; they end with it."""

    def node(self, *flags, **options):
        node = Node(*flags, **options)
        self.addCleanup(node.kill)
        return node

    def assert_no_fatter(self, now, before, by, why=None):
        """Asserts memory has grown by less than `by` bytes; says so where a sanitizer leaves nothing to assert."""
        if sanitized(_agentd):
            print("(memory is not looked at: built with a sanitizer)", end=" ", file=sys.stderr, flush=True)
        else:
            self.assertLess(now - before, by, why)

    def assert_error(self, kind, code, doing, /, *arguments, **params):
        """Asserts that `doing` raises RpcError of that kind; answers it."""
        with self.assertRaises(RpcError) as raised:
            doing(*arguments, **params)
        error = raised.exception
        self.assertEqual((error.kind, error.code), (kind, code), error.error)
        self.assertIsInstance(error.message, str)
        self.assertTrue(error.message)
        self.assertIsInstance(error.data.get("retryable"), bool, error.error)
        return error


class SharedNode(Case):
    """Tests that share one node, started without flags."""

    flags = ()
    config = None

    @classmethod
    def setUpClass(cls):
        cls.node_ = Node(*cls.flags, config=cls.config)

    @classmethod
    def tearDownClass(cls):
        cls.node_.kill()

    @property
    def shared(self):
        return type(self).node_
