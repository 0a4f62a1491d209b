"""The private Postgres: create, start, stop and recover, as root and as an ordinary user."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from mailstore.directory.mta_role import ROLE
from popadmin.config.database import TcpAddress
from popadmin.up import binaries, leftovers, privilege, processes
from popadmin.up.errors import UpError
from popadmin.up.postgres import Cluster, private_cluster
from tests.up.programs import alive, as_nobody, python, running, until

WHEEL = str(binaries.wheel_folder())
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="what root does differently can only be seen by root")


def ask(cluster: Cluster, statement: str, *, user: str = "popadmin") -> str:
    with psycopg.connect(cluster.conninfo(user=user)) as connection:
        row = connection.execute(statement).fetchone()
        assert row
        return str(row[0])


@contextmanager
def started(cluster: Cluster) -> Iterator[None]:
    try:
        cluster.start()
        yield
    finally:
        cluster.stop()


def put(cluster: Cluster, word: str) -> None:
    with psycopg.connect(cluster.conninfo()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT %s::text AS word", [word])


def postgres_in(folder: Path) -> list[int]:
    return processes.working_in(folder.resolve() / "postgres" / "data", name="postgres")


def holder_command(folder: Path, *, programs: str = "", prefix: list[str] | None = None) -> list[str]:
    return python("tests.up.cluster_process", str(folder), programs, prefix=prefix or [])


def ready(process: subprocess.Popen[str]) -> int:
    """The postmaster's pid, once it takes connections."""
    assert process.stdout
    line = process.stdout.readline()
    assert line, "the holder ended"
    return int(line)


@pytest.mark.parametrize("programs", ["", WHEEL], ids=["system", "wheel"])
@pytest.mark.parametrize("ordinary", [False, True], ids=["as we are", "as nobody"])
def test_it_starts_from_nothing_and_ends_without_a_trace_of_a_process(
    folder: Path, programs: str, ordinary: bool
) -> None:
    with running(holder_command(folder, programs=programs, prefix=as_nobody() if ordinary else [])) as holder:
        pid = ready(holder)
        assert alive(pid)
        if not ordinary:
            assert ask(Cluster(folder), "SELECT current_database()") == "popadmin"
        holder.communicate(timeout=60)
        assert holder.returncode == 0
    assert not alive(pid)
    assert postgres_in(folder) == []


def test_what_it_promises_survives_a_power_cut_and_nobody_reaches_it_from_outside(folder: Path) -> None:
    with private_cluster(folder) as cluster:
        wanted = {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "jit": "off",
            "server_encoding": "UTF8",
        }
        assert {name: ask(cluster, f"SHOW {name}") for name in wanted} == wanted
        assert cluster.socket.stat().st_mode & 0o777 == 0o700
        assert cluster.data.stat().st_mode & 0o777 == 0o700


def test_it_has_the_connections_that_are_asked_for_and_never_fewer_than_the_operator_wrote(folder: Path) -> None:
    with private_cluster(folder, durable=False) as cluster:
        assert int(ask(cluster, "SHOW max_connections")) >= 200
    many = Cluster(folder, durable=False, connections=321)
    with started(many):
        assert ask(many, "SHOW max_connections") == "321"
    with (many.data / "postgresql.conf").open("a") as stream:
        stream.write("max_connections = 432\n")
    with started(many):
        assert ask(many, "SHOW max_connections") == "432"


def test_where_an_mta_may_come_its_role_comes_with_its_password_and_nobody_else(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = TcpAddress("127.0.0.1", server.getsockname()[1])
    cluster = Cluster(folder, durable=False, mta_address=address)

    def enter(*, dbname: str = "popadmin", **given: str) -> str:
        with psycopg.connect(host=address.host, port=address.port, dbname=dbname, **given) as connection:
            return connection.info.user

    with started(cluster):
        with psycopg.connect(cluster.conninfo()) as connection:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'right'")
        assert enter(user=ROLE, password="right") == ROLE
        elsewhere = {"user": ROLE, "password": "right", "dbname": "postgres"}
        for given in ({"user": ROLE, "password": "wrong"}, elsewhere, {"user": "popadmin"}, {"user": "postgres"}):
            with pytest.raises(psycopg.OperationalError, match=r"password authentication|rejects connection"):
                enter(**given)
        assert ask(cluster, "SHOW listen_addresses") == "127.0.0.1"


def test_its_address_works_as_database_url_also_with_blanks_in_the_path(folder: Path) -> None:
    with private_cluster(folder / "a folder", durable=False) as cluster, psycopg.connect(cluster.url) as connection:
        assert connection.info.dbname == connection.info.user == "popadmin"


def test_rows_are_there_after_a_stop_and_a_start(folder: Path) -> None:
    with private_cluster(folder, durable=False) as cluster:
        put(cluster, "kept")
    with private_cluster(folder, durable=False) as cluster:
        assert ask(cluster, "SELECT word FROM kept") == "kept"


def test_a_path_too_long_for_a_socket_gets_a_short_folder(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    with private_cluster(deep, durable=False) as cluster:
        assert len(str(cluster.socket)) < 60
        assert ask(cluster, "SELECT 1") == "1"
    shutil.rmtree(cluster.socket)


def test_a_socket_folder_that_others_may_enter_is_refused(folder: Path) -> None:
    (folder / "postgres" / "socket").mkdir(parents=True)
    (folder / "postgres" / "socket").chmod(0o755)
    with pytest.raises(UpError, match="mode 0700"):
        Cluster(folder, durable=False).start()


def test_an_initdb_that_was_killed_midway_is_begun_anew(folder: Path) -> None:
    unfinished = folder / "postgres" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("15\n")
    with private_cluster(folder, durable=False) as cluster:
        assert ask(cluster, "SELECT 1") == "1"
    assert not unfinished.exists()


def test_data_of_a_version_that_is_not_installed_is_not_touched_and_the_line_says_what_to_do(folder: Path) -> None:
    data = folder / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("99\n")
    with pytest.raises(UpError, match=r"made by Postgres 99, installed is .*postgresql-99"):
        Cluster(folder)
    assert [file.name for file in data.iterdir()] == ["PG_VERSION"]


def test_a_cluster_is_started_by_the_version_that_made_it_whatever_else_is_installed(folder: Path) -> None:
    with private_cluster(folder, folder=Path(WHEEL), durable=False) as made:
        put(made, "by the wheel")
    with private_cluster(folder, durable=False) as again:
        assert ask(again, "SELECT word FROM kept") == "by the wheel"


def test_a_folder_without_a_working_postgres_is_refused(folder: Path) -> None:
    with pytest.raises(UpError, match="no Postgres that runs here"):
        Cluster(folder, folder=folder)


def test_after_kill_9_of_postgres_the_same_supervisor_starts_it_again_and_committed_rows_are_there(
    folder: Path,
) -> None:
    with private_cluster(folder) as cluster:
        put(cluster, "committed")
        assert cluster.pid
        os.kill(cluster.pid, signal.SIGKILL)
        until(cluster.ended, "Postgres has ended")
        cluster.start()
        assert ask(cluster, "SELECT word FROM kept") == "committed"


def test_after_kill_9_of_the_supervisor_postgres_ends_by_itself_and_the_next_start_works(folder: Path) -> None:
    with running(holder_command(folder)) as holder:
        pid = ready(holder)
        put(Cluster(folder), "committed")
        holder.kill()
        until(lambda: not alive(pid), "Postgres has ended with its supervisor")
    with private_cluster(folder, durable=False) as cluster:
        assert ask(cluster, "SELECT word FROM kept") == "committed"


def test_after_kill_9_of_both_the_next_start_recovers(folder: Path) -> None:
    with running(holder_command(folder)) as holder:
        pid = ready(holder)
        put(Cluster(folder), "committed")
        holder.kill()
        os.kill(pid, signal.SIGKILL)
        with private_cluster(folder, durable=False) as cluster:
            assert ask(cluster, "SELECT word FROM kept") == "committed"


@pytest.fixture
def orphan(folder: Path) -> Iterator[int]:
    """A postmaster in our data folder whom nobody told to end."""
    with private_cluster(folder, durable=False) as cluster:
        put(cluster, "before")
    command = [*privilege.choose(cluster.data).prefix, binaries.find(made_by=None).program("postgres")]
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={cluster.socket}"]
    with running([*command, "-D", str(cluster.data), *options], stderr=subprocess.DEVNULL) as process:
        lock = cluster.data / "postmaster.pid"
        until(lambda: lock.is_file() and "ready" in lock.read_text(), "the orphan takes connections")
        yield process.pid


def test_a_postmaster_left_behind_is_stopped_before_a_new_one_starts(folder: Path, orphan: int) -> None:
    with private_cluster(folder, durable=False) as cluster:
        assert cluster.pid != orphan
        assert ask(cluster, "SELECT word FROM kept") == "before"
        assert not alive(orphan)


def test_a_stranger_with_the_pid_of_a_dead_postmaster_is_neither_ended_nor_in_the_way(folder: Path) -> None:
    with private_cluster(folder, durable=False) as cluster:
        put(cluster, "before")
        kept = (cluster.data / "postmaster.pid").read_text().splitlines()
    with running([sys.executable, "-c", "input()"]) as stranger:
        (cluster.data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *kept[1:], ""]))
        with private_cluster(folder, durable=False) as again:
            assert ask(again, "SELECT word FROM kept") == "before"
        assert stranger.poll() is None
        stranger.communicate("\n", timeout=60)


@ROOT_ONLY
def test_as_root_all_files_stay_roots(folder: Path) -> None:
    with private_cluster(folder, durable=False) as cluster:
        owners = {file.lstat().st_uid for file in cluster.root.rglob("*")}
    assert owners == {0}


@ROOT_ONLY
def test_root_without_user_namespaces_runs_it_as_nobody_and_goes_on_to_do_so(folder: Path) -> None:
    for environment in ({"PATH": "/nonexistent"}, dict(os.environ)):  # no `unshare` to be found at first
        with running(holder_command(folder), env=environment) as holder:
            pid = ready(holder)
            assert (Path("/proc") / str(pid)).stat().st_uid == 65534
            assert (folder / "postgres" / "data").stat().st_uid == 65534
            holder.communicate(timeout=60)
            assert holder.returncode == 0


@ROOT_ONLY
def test_a_folder_that_nobody_cannot_reach_is_named(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with running(holder_command(closed / "data"), env={"PATH": "/nonexistent"}, stderr=subprocess.PIPE) as holder:
        _out, said = holder.communicate(timeout=60)
    assert f"cannot pass through {closed}" in said


# --- killed while it recovers -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose Postgres was killed with much to recover."""
    folder = Path(tempfile.mkdtemp(prefix="popadmin-crashed-"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    cluster.start()
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT repeat(md5(n::text), 20) FROM generate_series(1, 100000) n")
    for pid in postgres_in(folder):
        with contextlib.suppress(ProcessLookupError):  # the ones before took it with them
            os.kill(pid, signal.SIGKILL)
    until(lambda: not postgres_in(folder), "all of it is killed")
    cluster.stop()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def recovering(crashed: Path, folder: Path) -> Path:
    """A copy of it for one test."""
    shutil.copytree(crashed, folder, dirs_exist_ok=True, symlinks=True, ignore=lambda _f, names: _sockets(names))
    return folder


def _sockets(names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(".s.PGSQL")]


def in_recovery(folder: Path) -> list[int]:
    """The startup process, while it replays the log."""
    return [pid for pid in postgres_in(folder) if "startup recovering" in processes.title(pid)]


@contextmanager
def held_in_recovery(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A supervisor whose Postgres stands still in the midst of its recovery."""
    with running(holder_command(folder)) as holder:
        until(lambda: in_recovery(folder), "it recovers")
        (startup,) = in_recovery(folder)
        os.kill(startup, signal.SIGSTOP)
        assert in_recovery(folder) == [startup]
        yield holder, startup


def rows(cluster: Cluster) -> int:
    return int(ask(cluster, "SELECT count(*) FROM kept"))


def test_a_postgres_that_hangs_in_its_recovery_does_not_hold_up_the_next_start(recovering: Path) -> None:
    with held_in_recovery(recovering) as (holder, startup):
        holder.kill()
        with private_cluster(recovering, durable=False) as cluster:
            assert not alive(startup)
            assert rows(cluster) == 100_000


def test_a_client_that_says_nothing_does_not_hold_up_the_start_after_a_kill_in_recovery(recovering: Path) -> None:
    with held_in_recovery(recovering) as (holder, startup), socket.socket(socket.AF_UNIX) as silent:
        before = set(postgres_in(recovering))
        silent.connect(f"{Cluster(recovering).socket}/.s.PGSQL.5432")
        until(lambda: set(postgres_in(recovering)) - before, "a process waits for the first word of the client")
        os.kill(startup, signal.SIGCONT)
        holder.kill()
        with private_cluster(recovering, durable=False) as cluster:
            assert rows(cluster) == 100_000


def test_however_often_the_supervisor_is_killed_during_recovery_the_next_one_comes_up(recovering: Path) -> None:
    for _time in range(4):
        with running(holder_command(recovering)) as holder:
            until(lambda: in_recovery(recovering), "it recovers")
            holder.kill()
    with private_cluster(recovering, durable=False) as cluster:
        assert rows(cluster) == 100_000


def test_children_whose_postmaster_was_killed_are_ended_before_another_postmaster_starts(recovering: Path) -> None:
    with held_in_recovery(recovering) as (holder, startup):
        (postmaster,) = [pid for pid in postgres_in(recovering) if processes.parent(pid) == holder.pid]
        holder.kill()
        os.kill(postmaster, signal.SIGKILL)
        with private_cluster(recovering, durable=False) as cluster:
            assert not alive(startup)
            assert rows(cluster) == 100_000


def test_a_postgres_of_another_folder_is_left_alone(folder: Path) -> None:
    with private_cluster(folder / "another", durable=False) as other, private_cluster(folder / "ours", durable=False):
        leftovers.end(folder / "nothing here")
        leftovers.end(folder)
        assert not other.ended()
