"""popadmin as its users run it: `manage.py pop3d` and `lmtpd` with their defaults, on a Postgres of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg

from bench.crew import ROOT
from bench.groups import Group
from bench.meter import Meter
from bench.postgres import Cluster
from bench.side import Doors, free_address, listed, stop, wait_for

DATABASE = "popadmin"

# Rows like those of deliveries, one change each; they share one body, for a list opens none.
MULTIPLY = """
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
    """Every password is kept as argon2id here, whatever its group; a huge mailbox has no form of its own."""

    name = "ours"

    def __init__(self, folder: Path, meter: Meter, certificate: tuple[Path, Path]) -> None:
        self.meter = meter
        self.doors = Doors(free_address(), free_address(), free_address())
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
            "POP3_LISTEN": str(self.doors.pop3),
            "POP3S_LISTEN": str(self.doors.pop3s),
            "LMTP_LISTEN": str(self.doors.lmtp),
            "TLS_CERT_FILE": str(cert),
            "TLS_KEY_FILE": str(key),
        }

    def start(self) -> None:
        self._cluster.start(DATABASE)
        self._run(["manage.py", "migrate", "--verbosity=0"])
        self._lmtpd = self._serve("lmtpd")
        self._pop3d = self._serve("pop3d")
        for door in (self.doors.lmtp, self.doors.pop3, self.doors.pop3s):
            wait_for(door)

    def _run(self, arguments: list[str], given: str = "") -> str:
        """What it printed."""
        command = [sys.executable, *arguments]
        ran = subprocess.run(
            command, cwd=ROOT, env=self._environment, input=given, stdout=subprocess.PIPE, text=True, check=True
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
        wait_for(self.doors.pop3)

    def accounts(self, groups: Sequence[Group]) -> None:
        self._run(["-m", "bench.people"], given="\n".join(user for group in groups for user in group.users))

    def devices(self, address: str, names: Sequence[str], mode: str = "independent") -> list[str]:
        """Make these devices; returns their secrets."""
        return self._run(["-m", "bench.gadgets"], given="".join(f"{address} {name} {mode}\n" for name in names)).split()

    def restore(self, address: str, device: str = "") -> tuple[int, float]:
        """Bring back what rests, for one device or for all; returns how many messages, and the milliseconds."""
        messages, taken = self._run(["-m", "bench.restoring"], given=f"{address} {device}\n").split()
        return int(messages), float(taken)

    def multiply(self, address: str, count: int) -> None:
        with psycopg.connect(self._cluster.conninfo(DATABASE), autocommit=True) as connection:
            connection.execute(MULTIPLY.encode(), {"address": address, "count": count})
            connection.execute(b"VACUUM ANALYZE mailstore_message, mailstore_mailbox")

    def server_pids(self) -> list[int]:
        return listed(self.meter, without="postgres")
