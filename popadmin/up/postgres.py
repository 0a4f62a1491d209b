"""A private Postgres cluster in the data folder: create, start, stop and recover it."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from mailstore import durable_file
from popadmin.config import database
from popadmin.config.database import TcpAddress
from popadmin.up import binaries, leftovers, mta_access, privilege, processes
from popadmin.up.errors import UpError

NAME = "popadmin"  # of the role and of the database
SUPERUSER = "postgres"
BUILTIN_LOCALE_MAJOR = 17  # since this version, sorting need not depend on the C library
READY_SECONDS = 600  # a recovery after a crash may take long; we wait while the process runs
STOP_SECONDS = 60
LINGER_SECONDS = 15  # for an immediate shutdown, if the fast one did not end
PAUSE_SECONDS = 0.02
INITDB_ATTEMPTS = 3  # a SIGHUP ends its children, and nothing that they inherit prevents it
LEAST_CONNECTIONS = 200  # each costs kilobytes; scripts, dumps and look-ups of the MTA need some too

# A small server's settings, written once; an operator may edit the file.
CONFIGURATION = """
# --- set by popadmin when it made this cluster; yours to change ---
shared_buffers = 128MB
jit = off                       # short statements only
random_page_cost = 1.1
checkpoint_timeout = 15min
max_wal_size = 1GB
logging_collector = on
log_directory = '../log'
log_filename = 'postgres-%a.log'  # a week, then over again
log_truncate_on_rotation = on
log_rotation_size = 0
log_checkpoints = off
timezone = 'UTC'
log_timezone = 'UTC'
"""

# "250" promises that the row survives a power cut, so an operator cannot change these.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FOR_TESTS_ONLY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Cluster:
    """One cluster in `data_dir/postgres`, for at least this number of `connections`.

    `durable=False` is for tests, whose data nobody keeps. At `mta_address` the role of the MTA may connect.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        folder: Path | None = None,
        durable: bool = True,
        connections: int = LEAST_CONNECTIONS,
        mta_address: TcpAddress | None = None,
        mta_databases: str = NAME,
    ) -> None:
        self.root = data_dir.resolve() / "postgres"
        self.data = self.root / "data"
        self.socket = database.socket_folder(data_dir.resolve())
        self._mta_address, self._mta_databases = mta_address, mta_databases  # as pg_hba.conf has databases
        self._port = mta_address.port if mta_address else database.SOCKET_PORT
        self._as = privilege.choose(self.data)
        self._promises = DURABLE if durable else FOR_TESTS_ONLY
        self._connections = max(connections, LEAST_CONNECTIONS)
        self._binaries = binaries.at(folder) if folder else binaries.find(made_by=self._made_by())
        self._process: subprocess.Popen[bytes] | None = None

    # --- where it is --------------------------------------------------------------------------------------------

    def conninfo(self, *, dbname: str = NAME, user: str = NAME) -> str:
        return make_conninfo(dbname=dbname, user=user, host=str(self.socket), port=self._port)

    @property
    def url(self) -> str:
        """Return the URL as for DATABASE_URL."""
        return f"postgres://{NAME}@/{NAME}?host={quote(str(self.socket), safe='/')}&port={self._port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    # --- start --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the cluster, and return when it accepts connections. Create it if needed; end one left by a crash."""
        self._folders()
        if not self.data.exists():
            self._make()
        self._end_left_behind()
        self._launch()
        self._await_ready()
        self._ensure_database()

    def _made_by(self) -> int | None:
        file = self.data / "PG_VERSION"
        if not file.is_file():
            return None
        text = file.read_text(errors="replace").strip()
        if not (text.isascii() and text.isdigit()):
            raise UpError(f"{file} is damaged: write the major version of the Postgres that made it there, such as 15")
        return int(text)

    def _folders(self) -> None:
        for folder in (self.root, self.root / "log", self.socket):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, parents=True)
                self._as.own(folder)
        self._as.require_passage(self.root)
        # Everybody who reaches the socket may connect as any user (`trust`), so the mode of the folder protects it. A
        # check of the user name would fail in the user namespace, where root has another name.
        found = self.socket.stat()
        if stat.S_IMODE(found.st_mode) != 0o700 or found.st_uid not in {os.geteuid(), self._as.uid}:
            raise UpError(f"{self.socket} must belong to us with mode 0700, for Postgres' socket: remove it")

    def _make(self) -> None:
        """Run initdb in another folder and rename it, so that an interrupted initdb never looks like a cluster."""
        unfinished = self.root / "data.unfinished"
        for _attempt in range(INITDB_ATTEMPTS):
            leftovers.end(unfinished)
            shutil.rmtree(unfinished, ignore_errors=True)
            made = self._run("initdb", f"--pgdata={unfinished}", *self._initdb_options())
            if not made.returncode:
                break
        else:
            raise UpError(f"initdb could not make {self.data}: {_last_line(made.stderr)}")
        with (unfinished / "postgresql.conf").open("a") as stream:
            stream.write(CONFIGURATION)
        durable_file.sync(unfinished / "postgresql.conf")
        durable_file.sync(unfinished)
        unfinished.rename(self.data)
        durable_file.sync(self.root)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*self._as.prefix, self._binaries.program(program), *arguments]
        return processes.run(command, cwd=self.root, **self._as.process())

    def _initdb_options(self) -> list[str]:
        builtin = ["--locale-provider=builtin"] if self._binaries.major >= BUILTIN_LOCALE_MAJOR else []
        return [
            *builtin,
            "--locale=C.UTF-8",
            "--encoding=UTF8",
            f"--username={SUPERUSER}",
            "--auth-local=trust",
            "--auth-host=reject",
            "--data-checksums",
            "--no-instructions",
        ]

    def _launch(self) -> None:
        settings = {
            "listen_addresses": "",
            **self._mta_settings(),
            "unix_socket_directories": f'"{self.socket}"',
            "unix_socket_permissions": "0700",
            "port": str(self._port),
            "max_connections": str(max(self._connections, self._configured_connections())),
            **self._promises,
        }
        command = [*self._as.prefix, self._binaries.program("postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._start_log().open("wb") as output:
            # SIGINT is the fast shutdown of Postgres: if we are killed, it ends cleanly.
            self._process = processes.start(
                command, at_our_death=signal.SIGINT, output=output, cwd=self.root, **self._as.process()
            )

    def _mta_settings(self) -> dict[str, str]:
        """Return what lets an MTA in, if one may come."""
        if self._mta_address is None:
            return {}
        rules = mta_access.write(self.root, databases=self._mta_databases)
        self._as.own(rules)
        return {"listen_addresses": self._mta_address.host, "hba_file": str(rules)}

    def _configured_connections(self) -> int:
        """Return max_connections of the cluster's files, which an operator may have raised; 0 if unreadable."""
        asked = self._run("postgres", "-C", "max_connections", "-D", str(self.data))
        said = asked.stdout.strip()
        return int(said) if said.isdigit() else 0

    def _start_log(self) -> Path:
        return self.root / "log" / "start.log"

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while self._status() != "ready":
            if self.ended():
                raise UpError(f"Postgres did not start: {self._last_error()} (its log: {self.root / 'log'})")
            if time.monotonic() > deadline:
                raise UpError(f"Postgres is still not ready after {READY_SECONDS} s, see {self.root / 'log'}")
            time.sleep(PAUSE_SECONDS)

    def _last_error(self) -> str:
        """Return the last error in the newest log; the first lines and the later ones are in different files."""
        newest = max((self.root / "log").iterdir(), key=lambda file: file.stat().st_mtime_ns)
        lines = newest.read_text(errors="replace").splitlines()
        worst = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        return _last_line("\n".join(worst or lines))

    def _status(self) -> str | None:
        """Return the status in postmaster.pid, once our process has written it (fields: miscadmin.h of Postgres)."""
        lines = self._lock_file()
        return lines[7].strip() if len(lines) > 7 and lines[0] == str(self.pid) else None

    def _lock_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _ensure_database(self) -> None:
        with psycopg.connect(self.conninfo(dbname="postgres", user=SUPERUSER), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(NAME)))
            # For `mta grant`. It is no more than its user has anyway: who reaches the socket may be any role.
            connection.execute(sql.SQL("ALTER ROLE {} CREATEROLE").format(sql.Identifier(NAME)))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(NAME)))

    # --- after a crash ------------------------------------------------------------------------------------------

    def _end_left_behind(self) -> None:
        """End a Postgres that still runs here, and remove its lock files.

        Postgres would refuse to start if another process, or a zombie, has the pid in its lock files. When no process
        runs in the folder of the cluster, the lock files are out of date.
        """
        leftovers.end(self.data)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.socket / f".s.PGSQL.{self._port}.lock").unlink(missing_ok=True)

    # --- the end ------------------------------------------------------------------------------------------------

    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def reload(self) -> None:
        """Let it read its configuration again; do nothing if it has ended."""
        if not self.ended() and self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Shut down fast: open transactions roll back, committed data is written. Do nothing if it has ended."""
        for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, LINGER_SECONDS)):
            if self.ended() or self._process is None:
                return
            self._process.send_signal(number)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        if not self.ended():
            raise UpError(f"Postgres (process {self.pid}) does not end, see {self.root / 'log'}")


@contextmanager
def private_cluster(data_dir: Path, *, folder: Path | None = None, durable: bool = True) -> Iterator[Cluster]:
    """Run a cluster for the length of a `with`; `folder` contains the Postgres programs to use."""
    cluster = Cluster(data_dir, folder=folder, durable=durable)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2] or "it said nothing"
