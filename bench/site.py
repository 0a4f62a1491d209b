"""A seeded site to measure: commands of popadmin on a Postgres of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench import meter
from bench.load_processes import ROOT
from bench.postgres import Cluster

DATABASE = "popadmin"


class Site:
    """`environment` is for commands of popadmin, while the site is `running`."""

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

    def run(self, *words: str, stdin: str | None = None) -> str:
        """Run one command with this standard input; return what it printed. Its progress bars are shown."""
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, input=stdin, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def seed(self, *, domains: int, mailboxes: int, messages: int) -> None:
        self.run("migrate", "--verbosity=0")
        sizes = {"--domains": domains, "--mailboxes": mailboxes, "--messages": messages}
        self.run("seed", *(word for name, size in sizes.items() for word in (name, str(size))))

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.cluster.conninfo(DATABASE), autocommit=True)

    def log_lock_waits(self, milliseconds: int) -> None:
        """Let Postgres log each wait for a lock that takes longer: a slow statement may also wait for other things."""
        with self.connect() as connection:
            connection.execute("ALTER SYSTEM SET log_lock_waits TO on")
            connection.execute(f"ALTER SYSTEM SET deadlock_timeout TO {milliseconds}".encode())
            connection.execute("SELECT pg_reload_conf()")

    def lock_wait_count(self) -> int:
        """Return how many such waits Postgres has logged."""
        return self._log.read_bytes().count(b" still waiting for ")
