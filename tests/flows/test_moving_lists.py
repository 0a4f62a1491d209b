"""The recipes of docs/moving.md, run in a shell: what they write, `popadmin import` accepts."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command

from mailstore.models import Alias, Domain, Mailbox, User
from tests.site.rows import PASSWORD

pytestmark = [pytest.mark.real, pytest.mark.django_db]

PAGE = (Path(__file__).resolve().parents[2] / "docs/moving.md").read_text()
HASH = "$6$saltsaltsaltsalt$" + "x" * 86
BETWEEN_WORDS = "\x1f"
# Writes down what it is called with: the test calls the command itself, within its own transaction.
POPADMIN = f"""#!/bin/bash
printf '%s{BETWEEN_WORDS}' "$@" >> "$CALLS"
echo >> "$CALLS"
"""
# Stands for the MySQL of mailcow: the query is one that Postgres knows too.
DOCKER = """#!/bin/bash
exec psql mailcow --no-align --field-separator=$'\\t' --pset=footer=off --command="${@: -1}"
"""
POSTFIXADMIN = f"""
CREATE TABLE domain (domain text, active boolean);
CREATE TABLE alias_domain (alias_domain text, target_domain text);
CREATE TABLE mailbox (username text, password text, name text, quota bigint, active boolean);
CREATE TABLE alias (address text, goto text, active boolean);
INSERT INTO domain VALUES ('ALL', true), ('example.org', true), ('example.net', true);
INSERT INTO alias_domain VALUES ('example.net', 'example.org');
INSERT INTO mailbox VALUES ('ann@example.org', '{HASH}', 'Ann', 2147483648, true),
    ('bob@example.org', '{{SHA512-CRYPT}}{HASH}', 'Bob, junior', 0, false);
INSERT INTO alias VALUES ('ann@example.org', 'ann@example.org', true),
    ('bob@example.org', 'bob@example.org,bob=example.org@autoreply.example.org,bob@elsewhere.example', true),
    ('info@example.org', 'ann@example.org,bob@example.org', true), ('@example.org', 'ann@example.org', true);
"""
MAILCOW = f"""
CREATE TABLE domain (domain text, active integer);
CREATE TABLE alias_domain (alias_domain text, target_domain text, active integer);
CREATE TABLE mailbox (username text, password text, name text, quota bigint, active integer);
CREATE TABLE alias (address text, goto text, active integer);
INSERT INTO domain VALUES ('example.org', 1);
INSERT INTO alias_domain VALUES ('example.net', 'example.org', 1);
INSERT INTO mailbox VALUES ('ann@example.org', '{{SHA512-CRYPT}}{HASH}', 'Ann', 3221225472, 1),
    ('bob@example.org', '{{SHA512-CRYPT}}{HASH}', 'Bob', 0, 1);
INSERT INTO alias VALUES ('ann@example.org', 'ann@example.org', 1), ('info@example.org', 'ann@example.org', 1);
"""
MODOBOA = f"""
CREATE TABLE core_user (email text, password text);
INSERT INTO core_user VALUES ('', 'x'), ('ann@example.org', '{{SHA512-CRYPT}}{HASH}');
"""


def chapter(program: str) -> str:
    """Return the lines of a chapter that are to be typed."""
    (text,) = re.findall(rf"^## From {program}\n(.+?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    return "\n".join(re.findall(r"^ {4}(.*)$", text, re.MULTILINE))


@contextmanager
def database(name: str, content: str) -> Iterator[None]:
    """Fill the database of another program, beside that of the tests."""
    ours = settings.DATABASES["default"]
    where = {"host": ours["HOST"], "user": ours["USER"], "password": ours["PASSWORD"], "port": ours["PORT"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as cluster:
        cluster.execute(f"CREATE DATABASE {name}")
        try:
            with psycopg.connect(dbname=name, **where) as filled:
                filled.execute(content)
            yield
        finally:
            cluster.execute(f"DROP DATABASE {name}")


def typed(lines: str, folder: Path) -> list[list[str]]:
    """Run lines in a shell, in a folder, and return the words of each `popadmin` in them."""
    programs, calls = folder / "bin", folder / "calls"
    programs.mkdir()
    for name, text in (("popadmin", POPADMIN), ("docker", DOCKER)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    ours = settings.DATABASES["default"]
    server = {
        "PGHOST": ours["HOST"],
        "PGPORT": str(ours["PORT"]),
        "PGUSER": ours["USER"],
        "PGPASSWORD": ours["PASSWORD"],
    }
    path = f"{programs}:{os.environ['PATH']}"
    environment = {**os.environ, **server, "PATH": path, "CALLS": str(calls), "DBPASS": "sesame"}
    subprocess.run(["bash", "-euc", lines], cwd=folder, env=environment, check=True)
    return [line.split(BETWEEN_WORDS)[:-1] for line in calls.read_text().splitlines()]


def imported(calls: list[list[str]], folder: Path) -> None:
    """Make domains and import the files, each first as a dry run. A wrong row ends the test."""
    for command, *words in calls:
        if command == "domain":
            call_command(command, *words, stdout=StringIO())
        elif command == "import":
            words[0] = str(folder / words[0])
            rest = [word for word in words if word != "--dry-run"]
            call_command(command, *rest, "--dry-run", stdout=StringIO())
            call_command(command, *rest, stdout=StringIO())


def targets() -> dict[str, list[str]]:
    return {alias.address: alias.targets for alias in Alias.objects.all()}


def quotas() -> dict[str, int | None]:
    return dict(Mailbox.objects.values_list("user__address", "quota_octets"))


def test_the_lists_of_postfixadmin(tmp_path: Path) -> None:
    lines = chapter("Dovecot with PostfixAdmin").replace("/var/vmail", str(tmp_path / "vmail"))
    (tmp_path / "vmail/example.org/ann/Maildir").mkdir(parents=True)
    with database("postfixadmin", POSTFIXADMIN):
        calls = typed(lines, tmp_path)
    imported(calls, tmp_path)
    assert calls[-1] == ["import-mail", "ann@example.org", "example.org/ann/Maildir"]
    assert Domain.objects.get(name="example.net").stands_for == Domain.objects.get(name="example.org")
    assert quotas() == {"ann@example.org": 2 * 2**30, "bob@example.org": None}
    assert not User.objects.get(address="bob@example.org").is_active
    assert targets() == {
        "@example.org": ["ann@example.org"],
        "bob@example.org": ["bob@elsewhere.example"],
        "info@example.org": ["ann@example.org", "bob@example.org"],
    }
    assert Alias.objects.get(address="bob@example.org").keep_copy


def test_the_lists_of_mailcow(tmp_path: Path) -> None:
    (tmp_path / "ann.password").touch()
    with database("mailcow", MAILCOW):
        calls = typed(chapter("mailcow"), tmp_path)
    imported(calls, tmp_path)
    assert Domain.objects.get(name="example.net").stands_for == Domain.objects.get(name="example.org")
    assert quotas() == {"ann@example.org": 3 * 2**30, "bob@example.org": None}
    assert targets() == {"info@example.org": ["ann@example.org"]}


def test_the_lists_of_modoboa(tmp_path: Path) -> None:
    call_command("domain", "ensure", "example.org", stdout=StringIO())
    account = f"account; ann@example.org; {PASSWORD}; Ann; Smith; True; SimpleUsers; ann@example.org; 1024"
    (tmp_path / "modoboa.csv").write_text(f"{account}\nalias; info@example.org; True; ann@example.org\n")
    with database("modoboa", MODOBOA):
        calls = typed(chapter("Modoboa"), tmp_path)
    imported(calls, tmp_path)
    assert quotas() == {"ann@example.org": 2**30}
    assert HASH in User.objects.get(address="ann@example.org").password
    assert targets() == {"info@example.org": ["ann@example.org"]}


def test_the_lists_of_cpanel(tmp_path: Path) -> None:
    etc, valiases = tmp_path / "user/etc/example.org", tmp_path / "valiases"
    etc.mkdir(parents=True)
    valiases.mkdir()
    (etc / "shadow").write_text(f"ann:{HASH}:19000::::::\nbob:!!{HASH}:19000::::::\ncid:{HASH}:19000::::::\n")
    (etc / "quota").write_text("ann:262144000\nbob:0\n")
    (valiases / "example.org").write_text("info@example.org: ann@example.org, bob@example.org\n*: ann@example.org\n")
    lines = chapter("cPanel").replace("/home/", f"{tmp_path}/").replace("/etc/valiases", str(valiases))
    calls = typed(lines, tmp_path)
    imported(calls, tmp_path)
    assert quotas() == {"ann@example.org": 250 * 2**20, "bob@example.org": None, "cid@example.org": None}
    assert not User.objects.get(address="bob@example.org").is_active
    assert targets() == {
        "@example.org": ["ann@example.org"],
        "info@example.org": ["ann@example.org", "bob@example.org"],
    }


def test_the_list_of_courier(tmp_path: Path) -> None:
    userdb = tmp_path / "userdb"
    fields = "uid=1000|gid=1000|home=/home/vmail/ann"
    userdb.write_text(
        f"ann@example.org\t{fields}|systempw={HASH}|mail=/home/vmail/ann\nbob@example.org\tpop3pw=abNANd1rDfiNc|{fields}\n"
        f"cid@example.org\t{fields}\n"
    )
    calls = typed(chapter("Courier").replace("/etc/courier/userdb", str(userdb)), tmp_path)
    imported(calls, tmp_path)
    assert set(quotas()) == {"ann@example.org", "bob@example.org"}
    assert HASH in User.objects.get(address="ann@example.org").password
    assert User.objects.get(address="bob@example.org").check_password("secret")
