"""The command line, from outside: flags, configuration, exit codes, signals, systemd, plugins."""

import glob
import json
import os
import pty
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from daemon import AGENTD, LIMIT, Daemon, run, wait_for

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support.sanitizer import sanitized  # noqa: E402

CONFIGS = os.environ["AGENTD_CONFIGS"]
PLUGINS = os.environ["AGENTD_TEST_PLUGINS"]

OK, USAGE, UNAVAILABLE, NOT_WRITTEN, CONFIGURATION = 0, 64, 69, 74, 78
TOKEN, OTHER_TOKEN = "0123456789abcdef", "fedcba9876543210"


def reaches(port):
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class WithDirectory(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path, mode)
        return path

    def refused(self, code, part, *arguments):
        """Asserts that agentd leaves with `code`, says `part` on standard error, and nothing on standard output."""
        got, out, err = run(*arguments)
        self.assertEqual(got, code, err)
        self.assertIn(part, err)
        self.assertEqual(out, "")


class Telling(WithDirectory):
    def test_help_and_version_are_told(self):
        code, out, _ = run("--help")
        self.assertEqual(code, OK)
        self.assertIn("--check-config", out)
        code, out, _ = run("--version")
        self.assertEqual(code, OK)
        self.assertRegex(out, r"^agentd \d+\.\d+\.\d+\n$")

    def test_a_wrong_command_line_is_usage(self):
        self.refused(USAGE, "did you mean --port?", "--prot", "1")
        self.refused(USAGE, "0 to 65535", "--port", "65536")
        self.refused(USAGE, "--port needs a value", "--port")
        self.refused(USAGE, "--port is given more than once", "--port", "1", "--port", "2")

    def test_a_flag_that_takes_no_value_cannot_be_turned_around_by_one(self):
        self.refused(USAGE, "--insecure takes no value", "--host", "0.0.0.0", "--advertise", "10.0.0.1", "--insecure=false")

    def test_what_cannot_be_written_is_told(self):
        with open("/dev/full", "wb") as full:
            told = subprocess.run([AGENTD, "--print-config"], stdout=full, stderr=subprocess.PIPE, timeout=LIMIT, check=False)
        self.assertEqual(told.returncode, NOT_WRITTEN)
        self.assertIn(b"No space left", told.stderr)

    def test_that_its_port_cannot_be_told_is_logged(self):
        with open("/dev/full", "wb") as full:
            node = subprocess.Popen([AGENTD, "--port", "0"], stdout=full, stderr=subprocess.PIPE)
        self.addCleanup(node.wait, LIMIT)
        self.addCleanup(node.stderr.close)
        self.addCleanup(node.kill)
        line = next(line for line in node.stderr if b"cannot say on standard output" in line)
        self.assertIn(b"No space left", line)


class Configuration(WithDirectory):
    def test_a_secret_under_a_wrong_name_is_not_shown(self):
        file = self.file("secret.json", '{"token": "0123456789abcdef-secret"}')
        code, _, err = run("--check-config", "--config", file)
        self.assertEqual(code, CONFIGURATION)
        self.assertIn('there is no key "token"; did you mean "token_file"?', err)
        self.assertNotIn("0123456789abcdef", err)

    def test_what_we_ship_is_good(self):
        files = glob.glob(f"{CONFIGS}/**/*.json", recursive=True)
        self.assertGreaterEqual(len(files), 3)
        for file in files:
            self.assertEqual(run("--check-config", "--config", file), (OK, f"{file}: ok\n", ""))

    def test_a_mistake_is_told_with_its_place(self):
        file = self.file("c.json", '{\n  // a comment\n  "prot": 1\n}')
        for task in ([], ["--check-config"], ["--print-config"]):
            self.refused(CONFIGURATION, f'{file}:3:3: there is no key "prot"', "--config", file, *task)

    def test_a_file_that_is_not_there_is_named(self):
        self.refused(CONFIGURATION, "/no/such/file: cannot be read", "--config", "/no/such/file")

    def test_what_is_printed_can_be_loaded_and_prints_the_same(self):
        code, printed, err = run("--print-config", "--port", "0", "--peer", "[fd00::/8]:7", "--peer", "a.example.org")
        self.assertEqual((code, err), (OK, ""))
        self.assertEqual(json.loads(printed)["peers"], ["[fd00::/8]:7", "a.example.org"])
        again = self.file("again.json", printed)
        self.assertEqual(run("--print-config", "--config", again), (OK, printed, ""))

    def test_no_secret_is_printed(self):
        file = self.file("token", TOKEN)
        code, printed, _ = run("--print-config", "--token-file", file)
        self.assertEqual(code, OK)
        self.assertNotIn(TOKEN, printed)

    def test_unsafe_ways_to_listen_are_refused(self):
        self.refused(CONFIGURATION, "token_file", "--host", "10.0.0.1")
        for host in ("0.0.0.0", "::", "[::]", "::ffff:0.0.0.0", "0x0", "0x0.0x0"):
            self.refused(CONFIGURATION, "--advertise", "--host", host, "--insecure", "--port", "0")

    def test_what_this_release_cannot_do_is_refused(self):
        self.refused(CONFIGURATION, "this release", "--durability", "on")

    def test_a_bad_token_file_is_refused(self):
        self.refused(CONFIGURATION, "run: chmod o=", "--token-file", self.file("open", TOKEN, 0o644))
        self.refused(CONFIGURATION, "is empty", "--token-file", self.file("empty", "\n"))
        self.refused(CONFIGURATION, "cannot be read", "--token-file", "/no/such/file")
        self.refused(CONFIGURATION, "15 characters", "--check-config", "--token-file", self.file("short", TOKEN[:15]))


class Serving(WithDirectory):
    def test_the_port_is_printed_once_it_accepts_and_nothing_else(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Daemon() as daemon:
                self.assertEqual(daemon.line, f"agentd listening on 127.0.0.1:{daemon.port}\n")
                self.assertEqual(daemon.status_of("/readyz"), 200)
                self.assertEqual(daemon.end(number), OK)
                self.assertEqual(daemon.rest_of_stdout(), "")

    def test_node_stop_ends_it(self):
        with Daemon() as daemon:
            self.assertEqual(daemon.rpc("node.stop")["result"], {})
            self.assertEqual(daemon.process.wait(LIMIT), OK)

    def test_a_taken_port_is_told(self):
        with Daemon() as daemon:
            self.refused(UNAVAILABLE, str(daemon.port), "--port", str(daemon.port))

    @unittest.skipIf(sanitized(AGENTD), "a sanitizer opens files of its own")
    def test_a_system_that_has_no_more_to_give_is_no_bug(self):
        ends = [self.end_with_open_files(most) for most in range(4, 17)]
        self.assertEqual(set(ends), {UNAVAILABLE, OK}, ends)
        self.assertEqual((ends[0], ends[-1]), (UNAVAILABLE, OK))

    def end_with_open_files(self, most):
        """The exit code where so many files may be open; SIGTERM ends it if it starts."""
        with subprocess.Popen([AGENTD, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))) as process:
            if process.stdout.readline():
                process.send_signal(signal.SIGTERM)
            return process.wait(LIMIT)

    def test_with_its_standard_streams_closed_it_keeps_its_sockets_to_itself(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = f'exec "$0" --port {port} --log-level trace <&- >&- 2>&-'
        with subprocess.Popen(["sh", "-c", command, AGENTD]) as process:
            try:
                wait_for(lambda: reaches(port), "it listens")
                streams = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)]
                self.assertEqual(streams, ["/dev/null"] * 3)
            finally:
                process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(LIMIT), OK)

    def test_a_second_signal_ends_it_at_once(self):
        file = self.file("c.json", '{"grace_ms": 3600000}')
        with Daemon("--config", file) as daemon:
            agent = daemon.rpc("agent.create", type="sleeper", args={"seconds": 3600})["result"]["agent"]
            daemon.rpc("agent.call", agent=agent, deadline_ms=3_600_000)
            daemon.send(signal.SIGTERM)
            wait_for(lambda: daemon.status_of("/readyz") == 503, "not ready any more")
            self.assertIsNone(daemon.process.poll())
            self.assertEqual(daemon.end(signal.SIGTERM), OK)

    def test_logs_are_json_lines_where_nobody_watches(self):
        with Daemon() as daemon:
            daemon.logged("listening")
            self.assertEqual(daemon.end(), OK)
            for line in daemon.log_lines():
                entry = json.loads(line)
                self.assertLessEqual({"time", "level", "message"}, entry.keys())

    def test_logs_are_text_on_a_terminal(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        with Daemon(stderr=theirs) as daemon:
            os.close(theirs)
            self.assertRegex(os.read(ours, 4096).decode(), r"^\d{4}-\d\d-\d\dT\S+Z info  listening address=")
            self.assertEqual(daemon.end(), OK)

    def test_nobody_forges_a_line(self):
        forged = '\n{"level":"error","message":"FORGED"}\r\n2026-01-01T00:00:00.000000Z error FORGED\x1b[2J\u2028'
        file = self.file("c.json", "{}")
        with Daemon("--config", file, "--log-level", "trace") as daemon:
            for line in ("GET /%s HTTP/1.1", "%s / HTTP/1.1"):
                with socket.create_connection((daemon.host, daemon.port)) as connection:
                    connection.sendall((line % forged + "\r\nHost: localhost\r\n\r\n").encode())
            for member in ("agent", "type", "name"):
                daemon.rpc("agent.create", **{"type": "echo", member: forged})
            daemon.rpc(forged)
            self.file("c.json", json.dumps({forged: 1}))
            daemon.send(signal.SIGHUP)
            self.assertIn("FORGED", daemon.logged("the old one stays in force"))
            self.assertEqual(daemon.end(), OK)
            for line in daemon.log_lines():
                self.assertNotIn("FORGED", json.loads(line)["message"])
                self.assertNotIn("\x1b", line)

    def test_off_logs_nothing(self):
        with Daemon("--log-level", "off") as daemon:
            self.assertEqual(daemon.end(), OK)
            self.assertEqual(daemon.log_lines(), [])

    def test_a_hung_up_pipe_does_not_kill_it(self):
        with Daemon() as daemon:
            daemon.process.stdout.close()
            with socket.create_connection((daemon.host, daemon.port)) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
            self.assertEqual(daemon.status_of("/healthz"), 200)


class Tokens(WithDirectory):
    def test_a_token_is_asked_for_and_changes_on_sighup(self):
        file = self.file("token", TOKEN)
        with Daemon("--token-file", file) as daemon:
            self.assertEqual(daemon.status_of("/openrpc.json"), 401)
            self.assertEqual(daemon.status_of("/openrpc.json", TOKEN), 200)
            self.file("token", OTHER_TOKEN)
            daemon.send(signal.SIGHUP)
            daemon.logged("reloaded")
            wait_for(lambda: daemon.status_of("/openrpc.json", OTHER_TOKEN) == 200, "the new token is taken")
            self.assertEqual(daemon.status_of("/openrpc.json", TOKEN), 401)

    def test_a_bad_new_token_is_reported_and_the_old_one_stays(self):
        file = self.file("token", TOKEN)
        with Daemon("--token-file", file) as daemon:
            self.file("token", "short")
            daemon.send(signal.SIGHUP)
            self.assertIn("5 characters", daemon.logged("the old one stays in force"))
            self.assertEqual(daemon.status_of("/openrpc.json", TOKEN), 200)

    def test_a_token_file_that_is_left_out_of_the_new_configuration_does_not_open_the_door(self):
        token = self.file("token", TOKEN)
        file = self.file("c.json", json.dumps({"token_file": token}))
        with Daemon("--config", file) as daemon:
            self.file("c.json", "{}")
            daemon.send(signal.SIGHUP)
            daemon.logged("restart")
            self.assertEqual(daemon.status_of("/openrpc.json"), 401)
            self.assertEqual(daemon.status_of("/openrpc.json", TOKEN), 200)

    def test_the_log_level_changes_on_sighup(self):
        file = self.file("c.json", '{"log_level": "off"}')
        with Daemon("--config", file) as daemon:
            self.file("c.json", '{"log_level": "info", "workers": 3}')
            daemon.send(signal.SIGHUP)
            daemon.logged("reloaded")
            self.assertIn('"workers"', daemon.logged("needs a restart"))

    def test_the_credential_of_systemd_is_the_token(self):
        self.file("token", TOKEN, 0o400)
        with Daemon(env={"CREDENTIALS_DIRECTORY": self.directory}) as daemon:
            self.assertEqual(daemon.status_of("/openrpc.json"), 401)
            self.assertEqual(daemon.status_of("/openrpc.json", TOKEN), 200)


class Systemd(WithDirectory):
    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.settimeout(LIMIT)
        self.manager.bind(os.path.join(self.directory, "notify"))
        self.env = {"NOTIFY_SOCKET": os.path.join(self.directory, "notify")}

    def heard(self):
        return self.manager.recv(4096).decode()

    def test_it_reports_ready_reloading_and_stopping(self):
        with Daemon(env=self.env) as daemon:
            self.assertTrue(self.heard().startswith("READY=1\n"))
            self.assertEqual(daemon.status_of("/readyz"), 200)
            daemon.send(signal.SIGHUP)
            self.assertTrue(self.heard().startswith("RELOADING=1"))
            self.assertTrue(self.heard().startswith("READY=1\n"))
            self.assertEqual(daemon.end(), OK)
            self.assertTrue(self.heard().startswith("STOPPING=1"))

    def test_it_reports_stopping_by_node_stop_too_and_once(self):
        with Daemon(env=self.env) as daemon:
            self.assertTrue(self.heard().startswith("READY=1\n"))
            agent = daemon.rpc("agent.create", type="sleeper", args={"seconds": 3600})["result"]["agent"]
            daemon.rpc("agent.call", agent=agent)
            daemon.rpc("node.stop", grace_ms=3_600_000)
            self.assertTrue(self.heard().startswith("STOPPING=1"))
            self.assertIsNone(daemon.process.poll())
            daemon.send(signal.SIGINT)
            self.assertEqual(daemon.end(signal.SIGTERM), OK)
            self.manager.setblocking(False)
            self.assertRaises(BlockingIOError, self.heard)

    def test_it_pets_the_watchdog(self):
        with Daemon(env={**self.env, "WATCHDOG_USEC": "200000"}) as daemon:
            self.assertTrue(self.heard().startswith("READY=1\n"))
            self.assertEqual([self.heard() for _ in range(3)], ["WATCHDOG=1"] * 3)
            self.assertEqual(daemon.end(), OK)


class Plugins(WithDirectory):
    def setUp(self):
        super().setUp()
        if not os.path.exists(f"{PLUGINS}/good.so"):
            self.skipTest("the plugins of the unit tests are not built")
        self.plugin = self.copied("good.so")

    def copied(self, plugin):
        """Its path where nobody else can replace it: a clone may be writable by its user's group."""
        path = shutil.copy(f"{PLUGINS}/{plugin}", self.directory)
        os.chmod(path, 0o644)
        return path

    def test_types_of_a_plugin_are_there_and_say_where_from(self):
        with Daemon("--plugin", self.plugin) as daemon:
            types = {entry["type"]: entry for entry in daemon.rpc("type.list")["result"]["types"]}
            self.assertEqual(types["Greeter"]["source"], os.path.realpath(self.plugin))
            self.assertIn("echo", types)

    def test_a_plugin_s_path_is_relative_to_the_configuration(self):
        file = self.file("c.json", '{"plugins": ["good.so"]}')
        self.assertEqual(run("--check-config", "--config", file)[0], OK)

    def test_an_unsafe_plugin_is_refused(self):
        os.chmod(self.plugin, 0o666)
        self.refused(CONFIGURATION, "chmod go-w", "--plugin", self.plugin)
        os.chmod(self.plugin, 0o644)
        os.chmod(self.directory, 0o777)
        self.refused(CONFIGURATION, "chmod go-w", "--plugin", self.plugin)

    def test_what_is_no_plugin_is_refused(self):
        self.refused(CONFIGURATION, "agentd_plugin_v1", "--plugin", self.copied("stranger.so"))
        self.refused(CONFIGURATION, "agentd-0.0", "--plugin", self.copied("wrong_abi.so"))
        self.refused(CONFIGURATION, "no agent types", "--plugin", self.copied("empty.so"))
        self.refused(CONFIGURATION, "cannot be loaded", "--plugin", self.file("text.so", "hello"))
        self.refused(CONFIGURATION, "cannot be opened", "--check-config", "--plugin", "/no/such/plugin.so")


if __name__ == "__main__":
    unittest.main()
