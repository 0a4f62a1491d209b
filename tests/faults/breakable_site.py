"""A site that tests may break: a durable Postgres, a body store and both listeners, each replaceable."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import smtplib
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from mailstore.sql.connection_pool import WRITE_LANES
from mailstore.wiring import POP3_WRITE_LANES
from popadmin.up.postgres import Cluster
from tests.listeners import MANAGE, Daemon, daemon
from tests.pop3_client import LONGEST_WAIT_SECONDS, Pop3Client, connect_to
from tests.site.rows import PASSWORD
from tests.up.programs import until

PEOPLE = 4
WORKERS = 2  # of each listener
LANES = WORKERS * (2 + POP3_WRITE_LANES + WRITE_LANES)  # each worker reads on one more
SENDER = "sender@elsewhere.example"


class BreakableSite:
    """Start it, break it, mend it; `stop` ends all that was started."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.cluster = Cluster(folder)  # durable: what is promised here must outlive a kill
        self.environment = {
            "DATABASE_URL": self.cluster.url,
            "POPADMIN_DATA_DIR": str(folder),
            "MAIL_STORE_URL": f"file:{self.store}",
            **environment,
        }
        self._stack = ExitStack()
        self.pop3d: Daemon
        self.lmtpd: Daemon

    def start(self) -> None:
        self.cluster.start()
        self._stack.callback(self.cluster.stop)
        self.manage("migrate", "--verbosity=0")
        self._run([sys.executable, "-m", "tests.faults.create_mailboxes", str(PEOPLE)])
        self.start_lmtpd()
        self.start_pop3d()

    def stop(self) -> None:
        self._stack.close()

    def start_lmtpd(self) -> None:
        self.lmtpd = self._stack.enter_context(daemon("lmtpd", workers=WORKERS, **self.environment))

    def start_pop3d(self) -> None:
        self.pop3d = self._stack.enter_context(daemon("pop3d", workers=WORKERS, **self.environment))

    # --- breaking -------------------------------------------------------------------------------------------------

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster; its backends notice by themselves."""
        pid = self.cluster.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(self.cluster.ended, "the postmaster is gone")

    def kill(self, listener: Daemon) -> None:
        """kill -9 of a listener's parent."""
        listener.process.kill()
        listener.process.wait(LONGEST_WAIT_SECONDS)

    # --- using ----------------------------------------------------------------------------------------------------

    def manage(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run([sys.executable, str(MANAGE), *words], check=check)

    def fsck(self, *options: str) -> list[dict[str, Any]]:
        """What fsck finds."""
        return json.loads(self.manage("fsck", "--json", *options, check=False).stdout)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.cluster.conninfo(), autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def lmtp(self) -> smtplib.LMTP:
        client = smtplib.LMTP(*self.lmtpd.address, timeout=LONGEST_WAIT_SECONDS)
        client.ehlo("client.example")
        return client

    def deliver(self, address: str, message: bytes) -> int:
        """Return the last reply's code."""
        with self.lmtp() as client:
            client.mail(SENDER)
            code, _text = client.rcpt(address)
            if code == 250:
                code, _text = client.data(message)
            return code

    def deliver_until_refused(self, address: str) -> int:
        """The first code that is no 250: what is left of the open files of the database may take some messages."""
        codes = (self.deliver(address, b"Subject: one of many\r\n\r\nx\r\n") for _time in range(2000))
        return next((code for code in codes if code != 250), 250)

    def process(self, *words: str) -> subprocess.Popen[str]:
        """A command that goes on, to talk with."""
        return subprocess.Popen(
            [sys.executable, str(MANAGE), *words],
            cwd=MANAGE.parent,
            env={**os.environ, **self.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def dial(self) -> Pop3Client:
        client = connect_to(self.pop3d.address)
        assert client.line().startswith(b"+OK")
        return client

    def session(self, address: str) -> Pop3Client:
        return self.dial().sign_in(address, PASSWORD)

    def sign_in_reply(self, address: str, password: str = PASSWORD) -> bytes:
        with self.dial() as client:
            client.ask(f"USER {address}")
            return client.ask(f"PASS {password}")

    def serves(self, address: str = "p0@example.org") -> bool:
        """Whether every worker has its database, and a message can be delivered and a maildrop opened now."""
        lanes = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'popadmin'"
        with contextlib.suppress(OSError, smtplib.SMTPException, psycopg.OperationalError):
            if self.sql(lanes)[0][0] < LANES:
                return False
            return (
                self.sign_in_reply(address).startswith(b"+OK") and self.deliver(address, b"Subject: probe\r\n") == 250
            )
        return False

    def until_it_serves(self) -> None:
        until(self.serves, "mail flows again")

    def _run(self, command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=MANAGE.parent,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "popadmin.settings", **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not (check and done.returncode), done.stderr
        return done
