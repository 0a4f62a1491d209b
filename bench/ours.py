"""popadmin as its users run it: `manage.py pop3d` and `lmtpd` with their defaults, on a Postgres of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg

from bench.load_processes import ROOT
from bench.mailbox_groups import Group
from bench.meter import Meter
from bench.postgres import Cluster
from bench.side import Addresses, free_address, listed, stop, wait_for

DATABASE = "popadmin"

# Rows like those of deliveries, one change each. They share one body, because a list opens no body.
DUPLICATE = """
    WITH box AS (
        SELECT m.* FROM mailstore_mailbox m JOIN mailstore_user u ON u.id = m.user_id WHERE u.address = %(address)s),
    copies AS (
        INSERT INTO mailstore_message
               (mailbox_id, body_id, uidl, prefix, octets, arrived_at, added, removed_why)
        SELECT o.mailbox_id, o.body_id, left(md5(n::text) || md5(o.uidl), length(o.uidl)), o.prefix, o.octets,
               o.arrived_at, o.added + n, ''
          FROM box JOIN mailstore_message o ON o.mailbox_id = box.id, generate_series(1, %(count)s - 1) AS n)
    UPDATE mailstore_mailbox m
       SET messages = %(count)s, octets = box.octets * %(count)s, change = box.change + %(count)s - 1
      FROM box WHERE m.id = box.id
"""


class Ours:
    """popadmin stores every password as argon2id, in each group, and stores huge mailboxes like all others."""

    name = "ours"

    def __init__(self, folder: Path, meter: Meter, certificate: tuple[Path, Path]) -> None:
        self.meter = meter
        self.addresses = Addresses(free_address(), free_address(), free_address())
        self._folder = folder
        folder.mkdir()
        self.log = folder / "servers.log"
        self._cluster = Cluster(folder / "postgres", meter)
        self._environment = self._settings(*certificate)
        self._pop3d: subprocess.Popen[bytes] | None = None
        self._lmtpd: subprocess.Popen[bytes] | None = None

    def _settings(self, cert: Path, key: Path) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": f"postgres://{self._cluster.user}@/{DATABASE}?host={self._cluster.socket_folder}",
            "POPADMIN_DATA_DIR": str(self._folder / "data"),
            "SECRET_KEY": "only for a benchmark, and as long as a secret key has to be",
            "PUBLIC_HOSTNAME": "localhost",
            "POP3_LISTEN": str(self.addresses.pop3),
            "POP3S_LISTEN": str(self.addresses.pop3s),
            "LMTP_LISTEN": str(self.addresses.lmtp),
            "TLS_CERT_FILE": str(cert),
            "TLS_KEY_FILE": str(key),
        }

    def start(self) -> None:
        self._cluster.start(DATABASE)
        self._run(["manage.py", "migrate", "--verbosity=0"])
        self._lmtpd = self._serve("lmtpd")
        self._pop3d = self._serve("pop3d")
        for address in (self.addresses.lmtp, self.addresses.pop3, self.addresses.pop3s):
            wait_for(address)

    def _store_command(self, name: str, stdin: str) -> str:
        return self._run(["-m", "bench.store_command", name], stdin)

    def _run(self, arguments: list[str], stdin: str = "") -> str:
        """Run a program of ours to its end; return what it printed."""
        command = [sys.executable, *arguments]
        ran = subprocess.run(
            command, cwd=ROOT, env=self._environment, input=stdin, stdout=subprocess.PIPE, text=True, check=True
        )
        return ran.stdout

    def _serve(self, command: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return self.meter.start(
                [sys.executable, "manage.py", command], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    def stop(self) -> None:
        stop(self._pop3d)
        stop(self._lmtpd)
        self._cluster.stop()

    def restart_pop3(self) -> None:
        stop(self._pop3d)
        self._pop3d = self._serve("pop3d")
        wait_for(self.addresses.pop3)

    def accounts(self, groups: Sequence[Group]) -> None:
        self._store_command("mailboxes", "\n".join(user for group in groups for user in group.users))

    def devices(self, address: str, names: Sequence[str], mode: str = "independent") -> list[str]:
        """Create these devices; return their secrets."""
        return self._store_command("devices", "".join(f"{address} {name} {mode}\n" for name in names)).split()

    def restore(self, address: str, device: str = "") -> tuple[int, float]:
        """Restore everything in recovery, for one device or for all; return the number of messages and milliseconds."""
        messages, milliseconds = self._store_command("restore", f"{address} {device}\n").split()
        return int(messages), float(milliseconds)

    def duplicate_message(self, address: str, count: int) -> None:
        with psycopg.connect(self._cluster.conninfo(DATABASE), autocommit=True) as connection:
            connection.execute(DUPLICATE.encode(), {"address": address, "count": count})
            connection.execute(b"VACUUM ANALYZE mailstore_message, mailstore_mailbox")

    def server_pids(self) -> list[int]:
        return listed(self.meter, without="postgres")
