"""A real Thunderbird without a window: its own code runs for a test, which talks to it by Marionette.

Marionette is the protocol by which Mozilla tests its programs: packets of JSON behind their length.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.installed_program import program
from tests.up.programs import until

START_SECONDS, STOP_SECONDS = 120, 60
SCRIPT_MILLISECONDS = 60_000
# Every name leads to this machine, and the web port to the one of the test. Nothing else is asked.
PREFERENCES = """
user_pref("marionette.port", 0);
user_pref("network.dns.forceResolve", "127.0.0.1");
user_pref("network.socket.forcePort", "80={web_port}");
user_pref("mailnews.auto_config.fetchFromISP.sslOnly", false);
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("app.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionPolicyBypassNotification", true);
"""


class Machine(Protocol):
    """Where it runs: this machine, or a bare one in namespaces."""

    def within(self, *command: str) -> Sequence[str]:
        """Return the command that runs `command` there."""

    def connect(self, port: int) -> socket.socket:
        """Return a connection to a port of its loopback."""


class ThisMachine:
    def within(self, *command: str) -> Sequence[str]:
        return command

    def connect(self, port: int) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port))


class Thunderbird:
    """One that runs. A script is the body of an async function; its arguments are `args`, its value is JSON."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(START_SECONDS)
        self._answers = self._socket.makefile("rb")
        self._number = 0
        self._read()  # its greeting
        self._ask("WebDriver:NewSession", {"timeouts": {"script": SCRIPT_MILLISECONDS}})
        self._ask("Marionette:SetContext", {"value": "chrome"})

    def run(self, script: str, *args: object) -> Any:
        body = f"""
            const [args, done] = [arguments[0], arguments[1]];
            (async () => {{ {script} }})().then(value => done({{value}}), error => done({{error: `${{error}}`}}));
        """
        answer = self._ask("WebDriver:ExecuteAsyncScript", {"script": body, "args": [list(args)], "sandbox": "system"})
        assert "error" not in answer["value"], answer["value"]["error"]
        return answer["value"]["value"]

    def quit(self) -> None:
        self._ask("Marionette:Quit", {})
        self._answers.close()
        self._socket.close()

    def _ask(self, command: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        data = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(data), data))
        _kind, _number, error, value = self._read()
        assert error is None, error
        return value

    def _read(self) -> Any:
        length = b""
        while (digit := self._answers.read(1)) != b":":
            assert digit, "Thunderbird has hung up"
            length += digit
        return json.loads(self._answers.read(int(length)))


@contextmanager
def thunderbird(profile: Path, *, web_port: int, machine: Machine | None = None) -> Iterator[Thunderbird]:
    """Start it with an empty profile in this folder, on this machine or another; it ends with the block."""
    machine = machine or ThisMachine()
    profile.mkdir()
    (profile / "user.js").write_text(PREFERENCES.format(web_port=web_port))
    command = machine.within(
        "env", "--ignore-environment", f"HOME={profile}", "PATH=/usr/bin:/bin",
        program("thunderbird"), "--headless", "--no-remote", "--profile", str(profile),
        "--marionette", "--remote-allow-system-access",
    )  # fmt: skip
    port_file = profile / "MarionetteActivePort"
    with (profile / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            until(
                lambda: port_file.exists() and port_file.read_text().strip() != "", "Thunderbird starts", START_SECONDS
            )
            started = Thunderbird(machine.connect(int(port_file.read_text())))
            yield started
            started.quit()
            process.wait(STOP_SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
