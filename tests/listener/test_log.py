"""What the log tells: every session once, no secret, nothing that a client could forge a line with."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstore.directory import mailboxes
from mailstore.models import Message
from tests.installed_program import program
from tests.listeners import ACTOR, Daemon, MailSite, daemon, greeted, numbered
from tests.pop3_client import Pop3Client, connect_to, plain_response

ADDRESS = "ann@example.org"
INSTALL = Path(__file__).parents[2] / "docs" / "install.md"
SECRET = "zebra crossing under water 77"


@pytest.fixture(scope="module")
def talkative(django_db_setup: None, tls_settings: dict[str, str]) -> Iterator[Daemon]:
    with daemon("pop3d", LOG_LEVEL="debug", **tls_settings) as started:
        yield started


def dial(listener: Daemon) -> Pop3Client:
    return greeted(connect_to(listener.address))


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.req("P-196")
def test_no_secret_reaches_the_log_by_any_mechanism_or_mistake(mail_site: MailSite, talkative: Daemon) -> None:
    mail_site.mailbox(password=SECRET)
    device_secret = mail_site.device(ADDRESS, "phone")
    wrong = "a wrong zebra crossing 88"
    plain, login = plain_response(["", ADDRESS, SECRET]), [base64_of(ADDRESS), base64_of(SECRET)]
    conversations = [
        [f"USER {ADDRESS}", f"PASS {SECRET}"],
        [f"USER {ADDRESS}", f"PASS {device_secret}"],
        [f"USER {ADDRESS}", f"PASS {wrong}"],
        [f"AUTH PLAIN {plain}"],
        ["AUTH PLAIN", plain],
        ["AUTH PLAIN", plain + "="],
        ["AUTH LOGIN", *login],
        [f"AUTH LOGIN {login[0]}", login[1]],
        [f"PAS {SECRET}"],
        [f"PASS {SECRET}"],
        [f"USER {SECRET}", f"PASS {SECRET}"],
        [f"USER {ADDRESS} {SECRET}"],
        [f"AUTH {SECRET}"],
        [SECRET, plain, login[1]],
        [f"PASS {SECRET}\0"],
    ]
    before = len(talkative.log())
    for lines in conversations:
        with dial(talkative) as client:
            for line in [*lines, "QUIT"]:
                client.send(line.encode() + b"\r\n")
                client.line()
    log = "\n".join(talkative.logged(r"popadmin\.session session", after=before, times=len(conversations)))
    log = "\n".join(talkative.log()[before:]) + log
    for secret in (SECRET, wrong, device_secret, plain, login[1], "zebra"):
        assert secret not in log


@pytest.mark.req("P-197")
@pytest.mark.req("P-018")
def test_what_a_client_types_makes_no_line_and_no_escape_in_the_log(mail_site: MailSite, talkative: Daemon) -> None:
    names = [
        "a\x1b]0;owned\x07",
        "x@e.org\rINFO forged login ok",
        "\u202egnp.exe@example.org",
        "n" * 240,
        "%0d%0aforged",
    ]
    before = len(talkative.log())
    for name in names:
        with dial(talkative) as client:
            client.send(f"USER {name}\r\nPASS x\r\nQUIT\r\n".encode())
            client.rest()
    talkative.logged(r"popadmin\.session session", after=before, times=len(names))
    lines = talkative.log()[before:]
    assert all(line[:4].isdigit() and line.isprintable() and len(line) < 1200 for line in lines), lines
    assert not [line for line in lines if line.startswith("INFO")]


@pytest.mark.req("P-198")
def test_one_structured_record_tells_a_session(mail_site: MailSite, tls_settings: dict[str, str]) -> None:
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(3))
    with daemon("pop3d", LOG_FORMAT="json", **tls_settings) as started:
        with greeted(connect_to(started.address)).start_tls(mail_site.authority.context()) as client:
            plain = plain_response(["", ADDRESS, "correct horse battery staple"])
            assert client.ask(f"AUTH PLAIN {plain}").startswith(b"+OK")
            uidls = client.uidls()
            for number in (1, 2):
                client.message(number)
            assert client.ask("TOP 3 0").startswith(b"+OK")
            client.payload()
            assert client.ask("DELE 1").startswith(b"+OK")
            assert client.quit().startswith(b"+OK")
        (line,) = started.logged('"logger": "popadmin.session"')
        record = json.loads(line)
        assert {name: record[name] for name in EXPECTED} == EXPECTED
        assert record["octets_in"] > 100
        assert record["octets_out"] > 1000
        with greeted(connect_to(started.address)) as client:
            client.sign_in(ADDRESS, "correct horse battery staple")
            assert client.uidls() == uidls[1:]
            client.sock.close()
        second = json.loads(started.logged('"logger": "popadmin.session"', times=2)[1])
        assert second["reason"] != "quit"
        assert second["uidl_digest"] != record["uidl_digest"]
    row = Message.objects.get(removed_why="dele")
    assert (row.uidl.encode(), row.removed_by.name) == (uidls[0], "main")


EXPECTED = {
    "client": "127.0.0.1",
    "address": ADDRESS,
    "device": "main",
    "mechanism": "PLAIN",
    "tls": "TLSv1.3",
    "reason": "quit",
    "retr": 2,
    "top": 1,
    "dele": 1,
    "removed": 1,
    "messages": 3,
}


def test_a_refused_sign_in_is_one_line_that_the_documented_filter_reads(mail_site: MailSite, talkative: Daemon) -> None:
    """docs/install.md shows a filter for fail2ban, whose <HOST> is an address."""
    (failregex,) = re.findall(r"failregex = (.+)", INSTALL.read_text())
    reads = re.compile(failregex.replace("<HOST>", r"(?P<host>\S+)"))
    mail_site.mailbox(password=SECRET)
    before = len(talkative.log())
    for name in (ADDRESS, "nobody@example.org", SECRET, "x client=198.51.100.1 "):
        with dial(talkative) as client:
            client.send(f"USER {name}\r\nPASS wrong\r\nQUIT\r\n".encode())
            client.rest()
    lines = talkative.logged("sign-in refused", after=before, times=4)
    assert [found["host"] for line in lines if (found := reads.match(line))] == ["127.0.0.1"] * 4
    assert f'address={ADDRESS} mechanism=USER cause="BadCredentials: wrong password"' in lines[0]
    assert 'address=nobody@example.org mechanism=USER cause="BadCredentials: unknown user"' in lines[1]
    assert all("address=" not in line and "zebra" not in line for line in lines[2:])
    assert not reads.match(talkative.logged(r"popadmin\.session session", after=before)[0])


def test_a_device_that_missed_a_new_password_is_told_in_words_that_the_documented_filter_leaves_out(
    mail_site: MailSite, talkative: Daemon, tmp_path: Path
) -> None:
    """The harm: after each change of a password fail2ban barred the whole house, since a phone asked on."""
    mail_site.mailbox(password=SECRET)
    mailboxes.set_password(ADDRESS, "a new zebra crossing 89", actor=ACTOR)
    for _try in range(20):  # a busy machine may answer before it has compared; then it knows the password
        if refusals(talkative, SECRET)[0].endswith('"BadCredentials: previous password"'):
            break
    lines = refusals(talkative, *[SECRET] * 6, *["never right"] * 6, "another guess")
    causes = [line.partition('cause="BadCredentials: ')[2].rstrip('"') for line in lines]
    wrong, repeated = "wrong password", "wrong password, repeated"
    assert causes == ["previous password"] * 6 + [wrong] + [repeated] * 5 + [wrong]
    assert [line for line in lines if read_by_filter(line)] == [lines[6], lines[12]]
    log, rules = tmp_path / "log", tmp_path / "popadmin.conf"
    log.write_text("\n".join(lines) + "\n")
    rules.write_text("\n".join(["[Definition]", *failregexes("failregex = ")]) + "\n")
    command = [program("fail2ban-regex"), str(log), str(rules)]
    assert "2 matched" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def refusals(daemon: Daemon, *secrets: str) -> list[str]:
    """Sign in with each of these; return what the log says of each refusal."""
    before = len(daemon.log())
    for secret in secrets:
        with dial(daemon) as client:
            client.send(f"USER {ADDRESS}\r\nPASS {secret}\r\nQUIT\r\n".encode())
            client.rest()
    return daemon.logged("sign-in refused", after=before, times=len(secrets))


def failregexes(before: str = "") -> list[str]:
    """The lines of failregex in docs/install.md."""
    (first,) = re.findall(r"    failregex = (.+)\n", INSTALL.read_text())
    (second,) = re.findall(r"    failregex = .+\n +(\^.+)\n", INSTALL.read_text())
    return [f"{before}{first}", f"            {second}" if before else second]


def read_by_filter(line: str) -> bool:
    return any(re.match(each.replace("<HOST>", r"(?P<host>\S+)"), line) for each in failregexes())


def test_a_guesser_who_leaves_before_the_check_is_a_line_that_the_documented_filter_reads(
    mail_site: MailSite, talkative: Daemon
) -> None:
    (failregex,) = re.findall(r"failregex = (.+)", INSTALL.read_text())
    reads = re.compile(failregex.replace("<HOST>", r"(?P<host>\S+)"))
    mail_site.mailbox(password=SECRET)
    before = len(talkative.log())
    for guess in range(40):  # more than are checked at once
        with dial(talkative) as client:
            client.send(f"USER {ADDRESS}\r\nPASS wrong-{guess}\r\n".encode())
    lines = talkative.logged("sign-in refused", after=before, times=40)
    assert [line for line in lines if not reads.match(line)] == []
    assert [line for line in lines if 'cause="Abandoned: ' in line]


@pytest.mark.req("P-037")
def test_a_password_refused_in_clear_is_told_without_the_password(
    mail_site: MailSite, tls_settings: dict[str, str]
) -> None:
    mail_site.mailbox(password=SECRET)
    with daemon("pop3d", PLAINTEXT_LOGIN="never", **tls_settings) as started:
        with greeted(connect_to(started.address)) as client:
            assert client.ask(f"USER {ADDRESS}").startswith(b"-ERR ")
            assert client.ask(f"PASS {SECRET}").startswith(b"-ERR ")
            client.start_tls(mail_site.authority.context()).sign_in(ADDRESS, SECRET)
        lines = started.logged("cleartext refused", times=2)
        assert all("client=127.0.0.1" in line and "zebra" not in line for line in lines)
