"""`quickstart` on a bare machine without systemd: to mail from elsewhere, which a Thunderbird fetches and answers."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flows.bare_machine import EXIM, POSTFIX, BareMachine, bare_machine
from tests.flows.exim import UNPACKED
from tests.flows.thunderbird import Thunderbird, thunderbird
from tests.flows.thunderbird_account import answer, fetched_subjects, set_up, trust_server
from tests.installed_program import program
from tests.up.programs import await_line, running, until

pytestmark = pytest.mark.real
HOST, ADDRESS, ELSEWHERE = "mail.example.test", "postmaster@example.test", "sender@elsewhere.example"
SUBJECT = ("--header", "Subject: from elsewhere")
WEB_PORT, POP3S_PORT, SUBMISSIONS_PORT = 8000, 995, 465


@dataclass(frozen=True, slots=True)
class Tried:
    """An MTA: the lines that install it, the command that runs it, and the programs that it is."""

    name: str
    installation: str
    command: str
    programs: Sequence[str]


TRIED = (
    Tried("postfix", POSTFIX, "postfix start-fg", ("postfix",)),
    Tried("exim", EXIM, "exim4 -bdf -q1m", (str(UNPACKED / "usr/sbin/exim4"),)),
)


@pytest.fixture(params=TRIED, ids=lambda mta: mta.name)
def mta(request: pytest.FixtureRequest) -> Tried:
    tried: Tried = request.param
    for name in (*tried.programs, "swaks", "thunderbird", "nsenter", "adduser"):
        program(name)
    return tried


@pytest.fixture
def machine(mta: Tried) -> Iterator[BareMachine]:
    users = Path("/etc/passwd").read_text()
    with bare_machine(mta.installation) as made:
        yield made
    assert Path("/etc/passwd").read_text() == users


def quickstart(machine: BareMachine, mta: Tried) -> str:
    done = machine.popadmin("quickstart", "--yes", "--mta", mta.name, "--hostname", HOST)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def service(machine: BareMachine, command: str, line: str = "") -> Iterator[None]:
    """Run what quickstart says is to be left running."""
    with running(machine.within(*shlex.split(command)), stderr=subprocess.DEVNULL) as process:
        if line:
            await_line(process, line)
        yield


def output(machine: BareMachine, *command: str) -> str:
    done = machine.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_three_runs_make_a_mail_server_of_a_bare_machine(machine: BareMachine, mta: Tried, tmp_path: Path) -> None:
    first = quickstart(machine, mta)
    (up,) = re.findall(r"^ +(env .* up --without-admin)$", first, re.MULTILINE)
    assert output(machine, "stat", "--format=%A %U:%G", "/etc/popadmin.env") == "-rw-r----- root:popadmin\n"

    with service(machine, up, "http"):
        second = quickstart(machine, mta)
        (password,) = re.findall(rf"{ADDRESS}: created\n +password: (\S+)", second)
        assert f"there is no systemd: start {mta.name}, then run quickstart again" in second

        with service(machine, mta.command):
            until(lambda: machine.run("swaks", "--server", "127.0.0.1", "--quit-after", "helo").returncode == 0, "SMTP")
            third = quickstart(machine, mta)
            assert re.findall(r"^ +(good|bad) .*by SMTP and out by POP3", third, re.MULTILINE) == ["good"]
            assert "created" not in third
            assert "wrote" not in third

            output(machine, "swaks", "--server", "127.0.0.1", "--from", ELSEWHERE, "--to", ADDRESS, *SUBJECT)
            with thunderbird(tmp_path / "profile", web_port=WEB_PORT, machine=machine) as client:
                fetch_and_answer(client, machine, password)
            assert ELSEWHERE in output(machine, "mailq")


def fetch_and_answer(client: Thunderbird, machine: BareMachine, password: str) -> None:
    """As a customer does who types an address and its password, and nothing else."""
    found = set_up(client, ADDRESS, password)
    assert (found["host"], found["port"]) == (HOST, POP3S_PORT)
    assert found["sending"] == [HOST, SUBMISSIONS_PORT, ADDRESS]
    certificate = output(machine, "cat", "/var/lib/popadmin/tls/cert.pem")
    trust_server(client, certificate, HOST, POP3S_PORT, SUBMISSIONS_PORT)
    until(lambda: fetched_subjects(client) == ["from elsewhere"], "the message is in the inbox")
    answer(client, "from elsewhere", by="an answer")
    until(lambda: fetched_subjects(client) == ["an answer", "from elsewhere"], "the copy is in the inbox")
