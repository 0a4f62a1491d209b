"""`mta setup`, `undo` and `check` at the shell. tests/flows has them with a real Postfix and a real Exim."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailstore.directory import domains
from mailstore.models import Mailbox, MailFlow
from tests.listeners import ACTOR, Authority
from tests.management.command_runner import one_line, process, said
from tests.mta.site import MAIN, MASTER

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "main.cf").write_text(MAIN)
    (tmp_path / "master.cf").write_text(MASTER)
    return tmp_path


def test_a_dry_run_prints_what_would_change_and_changes_nothing(
    directory: Path, settings, authority: Authority
) -> None:
    settings.TLS_CERT_FILE, settings.TLS_KEY_FILE = authority.cert_file, authority.key_file
    before = {path: path.read_bytes() for path in directory.iterdir()}
    where = ("mta", "setup", "postfix", "--config-directory", str(directory), "--dry-run")
    assert "+virtual_transport = lmtp:inet:[127.0.0.1]:" in said(*where)
    assert json.loads(said(*where, "--json"))["diff"]
    assert {path: path.read_bytes() for path in directory.iterdir()} == before
    assert not MailFlow.objects.exists()


def test_an_undo_without_a_setup_is_refused(directory: Path) -> None:
    done = process("mta", "undo", "postfix", "--config-directory", str(directory))
    assert (done.returncode, done.stdout) == (1, b"")
    assert "nothing to undo" in one_line(done.stderr)


def test_a_check_names_what_is_wrong_leaves_no_mailbox_and_ends_with_1(directory: Path) -> None:
    domains.ensure("example.org", actor=ACTOR)
    done = process("mta", "check", "postfix", "--config-directory", str(directory), "--json", LMTP_LISTEN="127.0.0.1:1")
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert found["lmtp-known"]["remedy"].startswith("Start popadmin's part there")
    assert found["destinations"]["state"] == "bad"
    assert "checks failed" in one_line(done.stderr)
    assert done.returncode == 1
    assert not Mailbox.objects.exists()


@pytest.mark.parametrize(
    "options",
    [
        ("check", "--mailbox", "ann@example.org"),  # without its password
        ("setup", "--submission", "x"),
        ("setup", "sendmail"),
        ("setup", "--dkim", "x"),
    ],
)
def test_a_bad_option_ends_with_2(options: tuple[str, ...]) -> None:
    done = process("mta", *options)
    assert done.returncode == 2
    one_line(done.stderr)
