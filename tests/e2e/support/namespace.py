"""Tests that need a network of their own: the file runs itself again inside a network namespace."""

import os
import shutil
import subprocess
import sys

from support import node

IN_NAMESPACE = "AGENTD_E2E_NAMESPACE"


def inside():
    return IN_NAMESPACE in os.environ


def run_inside(case, file, test, commands, limit=120):
    """Runs `test` of `file` in a namespace that these `ip` commands furnish. Skips `case` where none can be made."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        case.skipTest("needs unshare and ip")
    enter = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    furnish = " && ".join(f"ip {command}" for command in commands)
    if subprocess.run([*enter, "sh", "-c", furnish], capture_output=True, check=False).returncode != 0:
        case.skipTest("no network namespace can be made here")
    ran = subprocess.run([*enter, "sh", "-c", f'{furnish} && exec "$@"', "sh", sys.executable, "-B", os.path.abspath(file), node.agentd(), test],
                         env={**os.environ, IN_NAMESPACE: "1"}, capture_output=True, text=True, timeout=limit, check=False)
    print(ran.stderr)
    case.assertEqual(ran.returncode, 0, ran.stderr)
