"""JSON-RPC clients that others wrote, against two nodes. Needs Node.js, and what npm installs into the build folder."""

import glob
import os
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from support.node import Case, main  # noqa: E402

SKIPPED = 77  # what CTest takes for a skipped test
INSTALLING, RUNNING = 90, 60  # seconds


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def install(folder):
    """Makes `folder` one that the clients can run in; says why where it cannot."""
    if not shutil.which("node") or not shutil.which("npm"):
        skip("needs node and npm")
    os.makedirs(folder, exist_ok=True)
    for file in glob.glob(f"{HERE}/*.mjs"):
        shutil.copy(file, folder)
    lock, installed = f"{HERE}/package-lock.json", f"{folder}/package-lock.json"
    if os.path.isdir(f"{folder}/node_modules") and os.path.exists(installed) and open(lock, "rb").read() == open(installed, "rb").read():
        return
    shutil.copy(f"{HERE}/package.json", folder)
    command = ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    shutil.copy(lock, folder)
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALLING, check=False)
        failure = ran.stderr if ran.returncode else None
    except subprocess.TimeoutExpired:
        failure = f"not done within {INSTALLING} s"
    if failure:
        os.remove(installed)
        skip(f"{' '.join(command)}: {failure}")


class Clients(Case):
    def run_client(self, name):
        nodes = [self.node(), self.node()]
        environment = {**os.environ, "AGENTD_NODES": " ".join(node.address for node in nodes)}
        with subprocess.Popen(["node", "--test", f"{name}_test.mjs"], cwd=FOLDER, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as ran:
            try:
                said, _ = ran.communicate(timeout=RUNNING)
            except subprocess.TimeoutExpired:
                os.killpg(ran.pid, signal.SIGKILL)
                said, _ = ran.communicate()
                self.fail(f"not done within {RUNNING} s\n{said}")
        self.assertEqual(ran.returncode, 0, said)

    def test_jayson(self):
        self.run_client("jayson")

    def test_rpc_websockets(self):
        self.run_client("rpc_websockets")

    def test_ws(self):
        self.run_client("ws")

    def test_json_rpc_2(self):
        self.run_client("json_rpc_2")

    def test_the_openrpc_document(self):
        self.run_client("openrpc")


if __name__ == "__main__":
    FOLDER = sys.argv.pop(2)
    install(FOLDER)
    main()
