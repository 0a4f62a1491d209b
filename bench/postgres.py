"""A Postgres cluster in a folder of its own, for one server under test: durable, on a unix socket only."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import psycopg

from bench.meter import Meter
from bench.side import START_SECONDS, give_away, unprivileged
from popadmin.up import binaries

# The same for both sides. Both commit to disk, as a real site does.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",
}


class Cluster:
    """`conninfo` is valid from `start` to `stop`."""

    user = "bench"

    def __init__(self, folder: Path, meter: Meter) -> None:
        self._folder = give_away(folder)
        self._meter = meter
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket_folder(self) -> Path:
        return self._folder

    def conninfo(self, database: str) -> str:
        return f"host={self.socket_folder} user={self.user} dbname={database}"

    def start(self, database: str) -> None:
        programs = binaries.find(made_by=None)
        data = self._folder / "data"
        make = [
            programs.program("initdb"),
            "-D",
            str(data),
            "-U",
            self.user,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        subprocess.run(unprivileged(make), check=True, stdout=subprocess.DEVNULL, cwd="/")
        run = [programs.program("postgres"), "-D", str(data), "-k", str(self.socket_folder)]
        run += [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with (self._folder.parent / "postgres.log").open("wb") as log:
            self._process = self._meter.start(unprivileged(run), stdout=log, stderr=log, cwd="/")
        self._wait()
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}".encode())

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.conninfo("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        """Shut down fast, and wait until the processes are gone. Nobody needs the cluster afterwards."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_SECONDS)
