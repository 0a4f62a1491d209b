"""A site to measure: our commands on a Postgres of their own, and a seeded database in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench import meter
from bench.crew import ROOT
from bench.postgres import Cluster

DATABASE = "popadmin"


class Site:
    """`environment` is what our commands run in, good while it is `running`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.meter = meter.new(name)
        self.cluster = Cluster(folder / "postgres", self.meter)
        self._log = folder / "postgres.log"
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"postgres://{Cluster.user}@/{DATABASE}?host={self.cluster.socket_folder}",
            "POPADMIN_DATA_DIR": str(folder / "data"),
            "SECRET_KEY": "only for a benchmark, and as long as a secret key has to be",
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        self.cluster.start(DATABASE)
        try:
            yield
        finally:
            self.cluster.stop()
            self.meter.close()

    def run(self, *words: str, typed: str | None = None) -> str:
        """One command, with this on its standard input; returns what it said. Its progress bars are shown."""
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, input=typed, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def seed(self, *, domains: int, mailboxes: int, messages: int) -> None:
        self.run("migrate", "--verbosity=0")
        sizes = {"--domains": domains, "--mailboxes": mailboxes, "--messages": messages}
        self.run("seed", *(word for name, size in sizes.items() for word in (name, str(size))))

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.cluster.conninfo(DATABASE), autocommit=True)

    def tell_waits(self, milliseconds: int) -> None:
        """Postgres tells of each wait for a lock that is longer: a statement that is slow may wait for other things."""
        with self.connect() as connection:
            connection.execute("ALTER SYSTEM SET log_lock_waits TO on")
            connection.execute(f"ALTER SYSTEM SET deadlock_timeout TO {milliseconds}".encode())
            connection.execute("SELECT pg_reload_conf()")

    def waits(self) -> int:
        """How many it has told of."""
        return self._log.read_bytes().count(b" still waiting for ")
