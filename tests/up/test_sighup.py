"""SIGHUP reloads every process, at every moment of its life, and never ends one."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from popadmin.up import processes
from tests.listeners import Daemon
from tests.up.programs import REPOSITORY, alive, await_line, free_ports, python, running, until
from tests.up.test_supervisor import command, pid_of
from tests.up.test_up import Site


def tree(pid: int) -> list[int]:
    """A process, its children, theirs, and so on."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def hang_up(pid: int) -> None:
    """To every process of a service, as `systemctl kill --signal=HUP` does."""
    for one in tree(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGHUP)


@contextlib.contextmanager
def hanging_up(pid: int) -> Iterator[None]:
    """SIGHUP to all of it again and again, for the length of a `with`."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.2):
            hang_up(pid)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def site(folder: Path) -> Site:
    return Site(folder / "data")


def test_up_and_all_that_it_runs_live_through_hangups_from_their_first_moment_on(site: Site) -> None:
    """Started as the unit does: an ignored SIGHUP stays ignored through exec, until popadmin has its own handler."""
    with site.up():  # makes the database
        site.await_board()
    site.prefix = ["env", "--ignore-signal=HUP"]
    for _start in range(2):
        with site.up() as process:
            until(lambda pid=process.pid: _holds(pid, "SigIgn"), "`env` has done its part")
            with hanging_up(process.pid):
                site.await_board()
            assert process.poll() is None
            site.page()
            assert "ended" not in site.output.read_text()


def test_a_hangup_of_up_reloads_every_part_and_ends_none(site: Site) -> None:
    with site.up("--demo") as process:
        site.await_board()
        titles = {pid: processes.title(pid) for pid in tree(process.pid)}
        before = {pid for pid, title in titles.items() if not title.startswith("postgres: ")}  # those come and go
        pages = {pid for pid in before if "gunicorn" in titles[pid]}
        master = min(pages, key=lambda pid: processes.parent(pid) != process.pid)
        for _time in range(3):
            os.kill(process.pid, signal.SIGHUP)
        until(lambda: site.said("certificate reloaded"), "POP3 has read its certificates again")
        until(lambda: not any(map(alive, pages - {master})), "the pages run in new processes")
        site.page()
        assert all(map(alive, before - pages | {master}))
        assert "received SIGHUP, reloading configuration files" in site.log_of_postgres()
        assert site.waits("alice@example.test")


def test_a_worker_of_the_pages_does_not_end_at_a_hangup_of_its_own(site: Site) -> None:
    with site.up() as process:
        site.await_board()
        site.page()  # a worker that answers has been told everything that it is told at its start
        pages = [pid for pid in tree(process.pid) if "gunicorn" in processes.title(pid)]
        workers = [pid for pid in pages if processes.parent(pid) in pages]
        until(lambda: all(_holds(pid, "SigBlk") for pid in workers), "every worker holds hangups back")


@pytest.mark.parametrize("server", ["pop3d", "lmtpd", "up", "sweep"])
def test_a_server_that_loads_holds_hangups_back_until_it_can_obey(folder: Path, server: str) -> None:
    arguments = ["sweep", "--every", "3600"] if server == "sweep" else [server]
    with loading(folder, *arguments, DATABASE_URL="nonsense://") as daemon:
        daemon.process.send_signal(signal.SIGHUP)
    daemon.logged("DATABASE_URL")
    assert daemon.process.wait(60) == 2


def test_the_listener_reloads_for_a_hangup_that_came_while_it_loaded(db: None, folder: Path) -> None:
    with loading(folder, "pop3d", POP3_LISTEN="127.0.0.1:0", POP3S_LISTEN="", POP3_WORKERS="1") as daemon:
        daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_until_listening(1)
    daemon.logged("certificate reloaded")
    assert daemon.stop() == 0


@contextlib.contextmanager
def loading(folder: Path, *arguments: str, **environment: str) -> Iterator[Daemon]:
    """A server that stops in the midst of its settings, at a pipe for its secret key, until the end of a `with`."""
    pipe = folder / "key"
    os.mkfifo(pipe)
    environment = {**os.environ, "POPADMIN_DATA_DIR": str(folder / "data"), "SECRET_KEY_FILE": str(pipe), **environment}
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments], cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True
    )
    daemon = Daemon(process)
    with pipe.open("w") as stream:  # opens when the other end does
        yield daemon
        stream.write("k" * 50)
    threading.Thread(target=_feed, args=(pipe, process), daemon=True).start()


def _feed(pipe: Path, process: subprocess.Popen[str]) -> None:
    """Write the key for each process that opens the pipe again."""
    while process.poll() is None:
        with contextlib.suppress(OSError):  # nobody reads now
            descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            os.write(descriptor, b"k" * 50)
            os.close(descriptor)
        time.sleep(0.01)


def test_a_child_is_deaf_to_hangups_until_it_says_otherwise(folder: Path) -> None:
    look = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    with (folder / "said").open("wb") as output:
        child = processes.start([sys.executable, "-c", look], at_our_death=signal.SIGTERM, output=output)
        assert child.wait(60) == 0
    assert (folder / "said").read_text() == "True\n"


def test_a_supervisor_without_a_terminal_stays_at_a_hangup(folder: Path) -> None:
    with running(command(folder, free_ports(2)), start_new_session=True) as process:
        await_line(process, "ready")
        process.send_signal(signal.SIGHUP)
        await_line(process, "SIGHUP: ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_it_ends_cleanly_with_the_terminal_that_it_was_started_in(folder: Path) -> None:
    arguments = python("tests.up.small_supervisor", str(folder), *map(str, free_ports(2)), "plain")
    pid, terminal = pty.fork()
    if pid == 0:  # the session's leader, with the terminal
        os.chdir(REPOSITORY)
        os.execv(arguments[0], arguments)
    try:
        events = folder / "events"
        until(lambda: events.is_file() and events.read_text().count("started") == 2, "both services run")
        child = pid_of(folder, "first")
        until(lambda: b"ready" in os.read(terminal, 4096), "it watches")
    finally:
        os.close(terminal)
    _pid, status = os.waitpid(pid, 0)
    assert not alive(child)
    assert (folder / "events").read_text().count("ended") == 2
    assert not (folder / "children.json").exists()
    assert os.waitstatus_to_exitcode(status) == 0


def _holds(pid: int, mask: str) -> bool:
    """Whether SIGHUP is in one of the masks of signals that proc(5) shows of a process."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(mask))
    return bool(int(line.split()[1], 16) >> (signal.SIGHUP - 1) & 1)
