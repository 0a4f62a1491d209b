"""`manage.py up` as users run it: first start, every kind of stop, and the next start."""

from __future__ import annotations

import json
import os
import poplib
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from popadmin.up.startup_summary import RULE
from tests.up.programs import REPOSITORY, as_nobody, free_ports, running, until

VARIABLES = ("WEB_LISTEN", "POP3_LISTEN", "POP3S_LISTEN", "LMTP_LISTEN")
STOPS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])


def require(program: str) -> None:
    """A missing program fails CI; elsewhere it skips."""
    if shutil.which(program) is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{program} is not installed")


class Site:
    """One data folder and the ports that its `up` uses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder.parent / "output"
        self.prefix: list[str] = []
        self.ports = dict(zip(VARIABLES, free_ports(len(VARIABLES)), strict=True))
        self.hosts = ("127.0.0.1",)

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "POPADMIN_GENERATE"}}
        listens = {variable: ",".join(f"{host}:{port}" for host in self.hosts) for variable, port in self.ports.items()}
        return kept | listens | {"POPADMIN_DATA_DIR": str(self.folder), "POP3_WORKERS": "1", "PYTHONUNBUFFERED": "1"}

    @contextmanager
    def up(self, *options: str, ordinary: bool = False) -> Iterator[subprocess.Popen[str]]:
        command = [*self.prefix, *(as_nobody() if ordinary else []), sys.executable, "manage.py", "up", *options]
        self.output.write_text("")
        # Into a file: nobody reads on while a test looks elsewhere, and a full pipe would stop the servers.
        with (
            self.output.open("ab") as stream,
            running(command, env=self.environment(), stdout=stream, stderr=stream) as process,
        ):
            yield process

    def said(self, text: str) -> bool:
        return text in self.output.read_text()

    def await_board(self) -> list[str]:
        """The printed block; logs around it are left out."""
        until(lambda: self.output.read_text().count(RULE) == 2, "the block is printed")
        return self.output.read_text().split(RULE)[1].splitlines()

    def command(self, *words: str) -> str:
        """What a command on this site prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=REPOSITORY,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def page(self) -> bytes:
        """The page of signing in, from whichever process of the pages answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['WEB_LISTEN']}/sign-in/", timeout=30) as answer:
            return answer.read()

    def log_of_postgres(self) -> str:
        return "".join(file.read_text() for file in (self.folder / "postgres" / "log").iterdir())

    def postmaster(self) -> int:
        return int((self.folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    def password(self, login: str) -> str:
        return str(json.loads((self.folder / "demo.json").read_text())["passwords"][login])

    def waiting(self, address: str) -> int:
        """How many messages a sign-in finds."""
        client = poplib.POP3("127.0.0.1", self.ports["POP3_LISTEN"], timeout=30)
        try:
            client.user(address)
            client.pass_(self.password(address))
            return client.stat()[0]
        finally:
            client.quit()

    def waits(self, address: str) -> bool:
        try:
            return self.waiting(address) > 0
        except (OSError, poplib.error_proto):
            return False


@pytest.fixture
def site(folder: Path) -> Site:
    return Site(folder / "data")


def shell(line: str, folder: Path) -> str:
    """Run a line as printed, in a home of its own."""
    done = subprocess.run(
        line,
        shell=True,
        cwd=folder,
        env=os.environ | {"HOME": str(folder)},
        capture_output=True,
        timeout=60,
        check=True,
    )
    return done.stdout.decode(errors="replace")


def printed(board: list[str], beginning: str) -> str:
    return next(line for line in board if line.strip().startswith(beginning))


@pytest.mark.real
def test_each_line_the_demo_prints_works_as_it_stands(site: Site, folder: Path) -> None:
    for program in ("curl", "swaks", "fetchmail"):
        require(program)
    with site.up("--demo"):
        board = site.await_board()
        assert "Subject: Your mailbox is ready" in shell(printed(board, "curl"), folder)
        before = site.waiting("alice@example.test")
        shell(printed(board, "swaks"), folder)
        assert site.waiting("alice@example.test") == before + 1
        assert shell(printed(board, "echo"), folder).count("\nSubject: ") == before + 1
        assert site.waiting("alice@example.test") == 0


def lines_of_the_readme(site: Site) -> list[str]:
    """The lines to try, as they stand but for the ports, which are the site's."""
    screen = (REPOSITORY / "README.md").read_text().partition("\nIn another shell")[2].partition("\nThen sign in")[0]
    lines = [line.strip() for line in screen.splitlines() if line.startswith("    ")]
    for variable, port in (("POP3_LISTEN", "1110"), ("LMTP_LISTEN", "1024")):
        assert any(port in line for line in lines)
        lines = [line.replace(port, str(site.ports[variable])) for line in lines]
    return lines


@pytest.mark.real
def test_each_line_of_the_readmes_first_screen_works_as_it_stands(site: Site, folder: Path) -> None:
    for program in ("curl", "swaks", "fetchmail"):
        require(program)
    (folder / "var").symlink_to(site.folder)  # where `make demo` keeps its data
    with site.up("--demo"):
        site.await_board()
        password, fetch, deliver, drain = lines_of_the_readme(site)
        assert "Subject: Your mailbox is ready" in shell(f"{password}\n{fetch}", folder)
        before = site.waiting("alice@example.test")
        shell(deliver, folder)
        assert site.waiting("alice@example.test") == before + 1
        assert shell(f"{password}\n{drain}", folder).count("\nSubject: ") == before + 1
        assert site.waiting("alice@example.test") == 0


@STOPS
def test_one_signal_ends_everything_and_exits_0(site: Site, number: signal.Signals) -> None:
    with site.up() as process:
        site.await_board()
        process.send_signal(number)
        assert process.wait(60) == 0
    assert not (site.folder / "postgres" / "data" / "postmaster.pid").exists()
    assert not (site.folder / "children.json").exists()


def test_a_start_leaves_no_visit_of_its_own_in_the_log(site: Site) -> None:
    with site.up() as process:
        site.await_board()
        poplib.POP3("127.0.0.1", site.ports["POP3_LISTEN"], timeout=30).quit()  # whoever came before was let in before
        process.send_signal(signal.SIGINT)  # what the listeners have not written yet comes with their end
        assert process.wait(60) == 0
    assert site.output.read_text().count("popadmin.session session") == 1


def test_it_runs_for_an_ordinary_user(site: Site) -> None:
    with site.up("--demo", ordinary=True):
        site.await_board()
        assert site.folder.stat().st_uid == (65534 if os.geteuid() == 0 and "setpriv" in as_nobody() else os.geteuid())


def test_the_first_administrators_password_is_printed_once(site: Site) -> None:
    password = re.compile(r"admin +\w{4}(-\w{4}){3} +hosting admin")
    with site.up():
        assert any(password.search(line) for line in site.await_board())
    with site.up():
        assert not any(password.search(line) for line in site.await_board())


def test_a_second_demo_prints_the_same_passwords_and_delivers_nothing_twice(site: Site) -> None:
    with site.up("--demo"):
        first, before = site.await_board(), site.waiting("bruno@example.test")
    with site.up("--demo"):
        assert site.await_board() == first
        assert site.waiting("bruno@example.test") == before
    assert (site.folder / "demo.json").stat().st_mode & 0o777 == 0o600


def test_the_demo_has_devices_that_have_fetched_a_policy_and_a_message_in_recovery(site: Site) -> None:
    with site.up("--demo"):
        site.await_board()
        names = {
            device["name"] for device in json.loads(site.command("device", "list", "chloe@example.test", "--json"))
        }
        assert {"Phone", "Laptop", "Office PC"} <= names
        (left,) = json.loads(site.command("recover", "list", "chloe@example.test", "--json"))
        assert left["by"] == "Laptop"
        assert json.loads(site.command("domain", "show", "example.test", "--json"))["policy"] == "A year"
        counted = (
            "from mailstore.models import Tally; t = Tally.objects.get(); print(t.deliveries, t.sign_ins, t.refused)"
        )
        assert site.command("shell", "--verbosity", "0", "--command", counted).split() == ["13", "3", "1"]


def test_mail_is_served_again_after_kill_9_of_postgres(site: Site) -> None:
    with site.up("--demo"):
        site.await_board()
        killed = site.postmaster()
        os.kill(killed, signal.SIGKILL)
        until(lambda: site.said("Postgres ended, it starts again"), "the supervisor has seen it")
        until(lambda: site.waits("alice@example.test"), "mail is served again")
        assert site.postmaster() != killed


@pytest.mark.parametrize("with_postgres", [False, True], ids=["the supervisor", "both"])
def test_after_kill_9_the_next_start_serves_the_same_mail_on_the_same_ports(site: Site, with_postgres: bool) -> None:
    with site.up("--demo") as process:
        site.await_board()
        before, postmaster = site.waiting("alice@example.test"), site.postmaster()
        process.kill()
        if with_postgres:
            os.kill(postmaster, signal.SIGKILL)
        with site.up("--demo"):
            site.await_board()
            assert site.waiting("alice@example.test") == before


def test_a_database_that_is_away_stops_the_start_in_one_line(site: Site) -> None:
    environment = site.environment() | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("popadmin: DATABASE_URL: ")


@pytest.mark.parametrize("hosts", [("0.0.0.0", "[::]"), ("[::]", "0.0.0.0")])
def test_every_part_listens_on_both_families_of_one_port_in_either_order(site: Site, hosts: tuple[str, ...]) -> None:
    site.hosts = hosts
    with site.up():
        site.await_board()
        for port in site.ports.values():
            for host in ("127.0.0.1", "::1"):
                socket.create_connection((host, port), 30).close()
        for host in ("127.0.0.1", "[::1]"):
            with urllib.request.urlopen(f"http://{host}:{site.ports['WEB_LISTEN']}/healthz", timeout=30) as answer:
                assert answer.read() == b"ok\n"
