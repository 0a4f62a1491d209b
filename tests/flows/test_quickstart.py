"""`quickstart` on a bare machine without systemd: to a message from elsewhere, fetched, and answered."""

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
from tests.installed_program import program
from tests.up.programs import await_line, running, until

pytestmark = pytest.mark.real
ADDRESS = "postmaster@example.test"
FETCH = """
import poplib, ssl, sys
pop = poplib.POP3_SSL("127.0.0.1", 995, context=ssl._create_unverified_context(), timeout=30)
pop.user(sys.argv[1]); pop.pass_(sys.argv[2])
for number in range(1, pop.stat()[0] + 1):
    print(b"\\n".join(pop.retr(number)[1]).decode())
pop.quit()
"""


SEND = """
import smtplib, ssl, sys
with smtplib.SMTP("127.0.0.1", 587, timeout=30) as smtp:
    smtp.starttls(context=ssl._create_unverified_context())
    smtp.login(sys.argv[1], sys.argv[2])
    smtp.sendmail(sys.argv[1], [sys.argv[1]], f"From: {sys.argv[1]}\\r\\nSubject: an answer\\r\\n\\r\\nline\\r\\n")
"""


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
    for name in (*tried.programs, "swaks", "nsenter", "adduser"):
        program(name)
    return tried


@pytest.fixture
def machine(mta: Tried) -> Iterator[BareMachine]:
    users = Path("/etc/passwd").read_text()
    with bare_machine(mta.installation) as made:
        yield made
    assert Path("/etc/passwd").read_text() == users


def quickstart(machine: BareMachine, mta: Tried) -> str:
    done = machine.popadmin("quickstart", "--yes", "--mta", mta.name, "--hostname", "mail.example.test")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def service(machine: BareMachine, command: str, line: str = "") -> Iterator[None]:
    """Run what quickstart says is to be left running."""
    with running(machine.within(*shlex.split(command)), stderr=subprocess.DEVNULL) as process:
        if line:
            await_line(process, line)
        yield


def fetched(machine: BareMachine, password: str, subject: str) -> bool:
    return f"Subject: {subject}\n" in output(machine, "python3", "-c", FETCH, ADDRESS, password)


def output(machine: BareMachine, *command: str) -> str:
    done = machine.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_three_runs_make_a_mail_server_of_a_bare_machine(machine: BareMachine, mta: Tried) -> None:
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

            elsewhere = ("--from", "sender@elsewhere.example", "--to", ADDRESS, "--header", "Subject: from elsewhere")
            output(machine, "swaks", "--server", "127.0.0.1", *elsewhere)
            until(lambda: fetched(machine, password, "from elsewhere"), "the message is in the mailbox")
            output(machine, "python3", "-c", SEND, ADDRESS, password)
            until(lambda: fetched(machine, password, "an answer"), "the answer is in the mailbox")
