"""A site that `manage.py up` of some checkout runs, for the data folders of releases: only names that stay are used."""

from __future__ import annotations

import hashlib
import json
import os
import poplib
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.up.programs import REPOSITORY, free_ports, until

VARIABLES = ("WEB_LISTEN", "POP3_LISTEN", "POP3S_LISTEN", "LMTP_LISTEN")
SECONDS = 60
# The longest that settings and policies take: a sweep of some later year has to leave what the tests look for.
MOST_DAYS = 3650


class Site:
    """A data folder, the checkout whose code runs it, and its ports."""

    def __init__(self, folder: Path, code: Path = REPOSITORY) -> None:
        self.folder = folder
        self.code = code
        self.output = folder.parent / "output"
        self.ports = dict(zip(VARIABLES, free_ports(len(VARIABLES)), strict=True))

    @property
    def pages(self) -> str:
        return f"http://127.0.0.1:{self.ports['WEB_LISTEN']}"

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "POPADMIN_GENERATE"}}
        return (
            kept
            | {variable: f"127.0.0.1:{port}" for variable, port in self.ports.items()}
            | {
                "POPADMIN_DATA_DIR": str(self.folder),
                "PUBLIC_HOSTNAME": "mail.example.test",
                "POP3_WORKERS": "1",
                "REMOVED_DAYS": str(MOST_DAYS),
            }
        )

    @contextmanager
    def up(self) -> Iterator[None]:
        """Run it from its start to its clean end."""
        with self.output.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=self.code,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        try:
            until(lambda: process.poll() is not None or self._serves(), "it serves mail")
            assert process.poll() is None, self.output.read_text()
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(SECONDS)
            finally:
                process.kill()

    def command(self, *words: str, stdin: str = "") -> str:
        """What a command of its popadmin prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=self.code,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.command(*words, "--json"))

    def deliver(self, message: bytes, *recipients: str) -> None:
        with smtplib.LMTP("127.0.0.1", self.ports["LMTP_LISTEN"], timeout=SECONDS) as lmtp:
            assert lmtp.sendmail("sender@elsewhere.example", recipients, message) == {}

    def session(self, login: str, password: str) -> poplib.POP3:
        client = poplib.POP3("127.0.0.1", self.ports["POP3_LISTEN"], timeout=SECONDS)
        client.user(login)
        client.pass_(password)
        return client

    def view(self, login: str, password: str) -> list[dict[str, Any]]:
        """Each message as the device sees it: UIDL, octets as LIST says, and the digest of what RETR gives."""
        client = self.session(login, password)
        uidls = [line.split()[1].decode() for line in client.uidl()[1]]
        octets = [int(line.split()[1]) for line in client.list()[1]]
        digests = [
            hashlib.sha256(b"\r\n".join(client.retr(number)[1])).hexdigest() for number in range(1, len(uidls) + 1)
        ]
        client.quit()
        return [
            {"uidl": uidl, "octets": size, "sha256": digest}
            for uidl, size, digest in zip(uidls, octets, digests, strict=True)
        ]

    def _serves(self) -> bool:
        try:
            poplib.POP3("127.0.0.1", self.ports["POP3_LISTEN"], timeout=SECONDS).quit()
            smtplib.LMTP("127.0.0.1", self.ports["LMTP_LISTEN"], timeout=SECONDS).quit()
        except OSError:
            return False
        return True
