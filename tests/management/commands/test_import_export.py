"""`import-mail` and `export-mail` at the shell: what they say, their exit codes, their one-line errors."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path

import pytest

from mailstore.directory import mailboxes
from mailstore.models import AuditEntry, Message
from tests.listeners import Authority
from tests.management.command_runner import one_line, process
from tests.site.rows import ACTOR, a_mailbox
from tests.transfer.dovecot_server import dovecot_server

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.write_bytes(b"From a@x.org Sat Jan  3 01:05:34 1996\nX-UIDL: two words\n\nhello\n")
    return path


def test_an_import_says_what_it_did_and_warns_on_stderr(inbox: Path) -> None:
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=1)
    first = process("import-mail", ANN, str(inbox), POPADMIN_DATA_DIR=str(inbox.parent))
    assert first.returncode == 0
    assert first.stdout.decode() == (f"{ANN}: imported 1, already there 0\n  the mailbox is now above its quota\n")
    assert "message 1: its UIDL 'two words'" in one_line(first.stderr)
    second = process("import-mail", ANN, str(inbox), "--json", POPADMIN_DATA_DIR=str(inbox.parent))
    assert json.loads(second.stdout) == {
        "imported": 0,
        "present": 1,
        "renamed": 0,
        "failed": 0,
        "deleted": 0,
        "refused": {},
        "passed_over": {},
        "folders": {},
        "over_quota": True,
    }


def test_an_import_ends_with_one_where_mail_was_refused_and_counts_what_is_no_mail(tmp_path: Path) -> None:
    a_mailbox()
    (tmp_path / "cur").mkdir()
    (tmp_path / "cur/1300000001.a.host").write_bytes(b"Subject: x\n\n")
    (tmp_path / "cur/1300000002.b.host").write_bytes(gzip.compress(gzip.compress(b"Subject: x\n\n")))
    (tmp_path / "cur/1300000004.d.host:2,ST").write_bytes(b"Subject: x\n\n")
    for folder, count in ((".Archive", 1), (".Sent mail", 2)):
        (tmp_path / folder / "cur").mkdir(parents=True)
        for number in range(count):
            (tmp_path / folder / f"cur/130000000{number}.a.host").write_bytes(b"Subject: x\n\n")
    (tmp_path / "cur/Thumbs.db").write_bytes(b"x")
    (tmp_path / "cur/1300000003.c.host").touch()
    done = process("import-mail", ANN, str(tmp_path), POPADMIN_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.decode().splitlines() == [
        f"{ANN}: imported 1, already there 0",
        "  left out, marked as deleted: 1; --with-deleted brings them",
        "  not imported, though it may be mail: 1 gzip",
        "  skipped, as it is not mail: 1 Thumbs.db, 1 empty",
        "  .Archive: 1 message not imported; --folder .Archive brings it",
        "  .Sent mail: 2 messages not imported; --folder '.Sent mail' brings them",
    ]
    assert done.stderr.decode().splitlines() == [
        "popadmin: 1300000002.b.host is compressed with gzip and not imported: unpack it first",
        "popadmin: 1 message could not be read",
    ]


@pytest.mark.real
def test_an_import_over_pop3_takes_the_password_from_standard_input(authority: Authority, tmp_path: Path) -> None:
    a_mailbox()
    with dovecot_server(authority) as server:
        user = server.user("an old password", b"Subject: x\n\nx\n")
        words = (ANN, server.url, "--user", user, "--password-stdin", "--ca-file", str(authority.ca_file))
        done = process("import-mail", *words, stdin=b"an old password\n", POPADMIN_DATA_DIR=str(tmp_path))
        wrong = process("import-mail", *words, stdin=b"wrong\n", POPADMIN_DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stdout.decode()) == (0, f"{ANN}: imported 1, already there 0\n")
    assert wrong.returncode == 1
    assert f"does not take the password of {user}" in one_line(wrong.stderr)
    entry = AuditEntry.objects.get(verb="mailbox.import")
    assert f"{server.url} as {user}" in str(entry.details)


@pytest.mark.real
def test_a_comparison_says_that_all_is_as_there_or_what_differs(authority: Authority, tmp_path: Path) -> None:
    a_mailbox()
    letters = [b"Subject: %d\n\nx\n" % number for number in range(3)]
    with dovecot_server(authority) as server:
        user = server.user("an old password", *letters)
        words = ("--user", user, "--password-stdin", "--ca-file", str(authority.ca_file))

        def ran(*more: str) -> subprocess.CompletedProcess[bytes]:
            return process(
                "import-mail", ANN, *more, *words, stdin=b"an old password\n", POPADMIN_DATA_DIR=str(tmp_path)
            )

        ran(server.url)
        same = ran("--compare", server.url)
        assert (same.returncode, same.stdout.decode()) == (0, f"{ANN}: 3 of 3 as the old server shows them\n")
        _first, second, _third = Message.objects.order_by("added")
        Message.objects.filter(pk=second.pk).update(uidl="new")
        differs = ran("--compare", server.url)
        assert (differs.returncode, differs.stdout.decode().splitlines()) == (
            1,
            [
                f"{ANN}: 2 of 3 as the old server shows them",
                f"  missing: 1 ({second.uidl})",
                "  extra: 1 (new)",
            ],
        )
        assert one_line(differs.stderr) == "popadmin: 2 messages differ"
        assert json.loads(ran("--compare", server.url, "--json").stdout) == {
            "there": 3,
            "same": 2,
            "missing": [second.uidl],
            "extra": ["new"],
            "moved": [],
        }


def test_an_export_says_what_it_did(inbox: Path) -> None:
    a_mailbox()
    folder = str(inbox.parent)
    process("import-mail", ANN, str(inbox), POPADMIN_DATA_DIR=folder)
    done = process("export-mail", ANN, f"{folder}/out", POPADMIN_DATA_DIR=folder)
    assert (done.returncode, done.stdout.decode()) == (0, f"{ANN}: exported 1, already there 0\n")
    again = process("export-mail", ANN, f"{folder}/out", "--json", POPADMIN_DATA_DIR=folder)
    assert json.loads(again.stdout) == {"exported": 0, "present": 1, "lost": 0}


def test_an_export_with_losses_ends_with_one(inbox: Path) -> None:
    a_mailbox()
    folder = str(inbox.parent)
    process("import-mail", ANN, str(inbox), POPADMIN_DATA_DIR=folder)
    (body,) = (inbox.parent / "bodies").rglob(Message.objects.get().body.key)
    body.unlink()
    done = process("export-mail", ANN, f"{folder}/out", POPADMIN_DATA_DIR=folder)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == "popadmin: 1 message is lost: fsck names them"


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["import-mail", "nobody@example.org", "{inbox}"], 1, "not a mailbox"),
        (["import-mail", ANN, "{inbox}-missing"], 1, "cannot be read"),
        (["import-mail", ANN, "{inbox}", "--format", "mh"], 2, "invalid choice"),
        (["import-mail", ANN, "{inbox}", "--uidl-format", "%m"], 1, "cannot be computed here: %m"),
        (["import-mail", ANN, "{inbox}", "--folder", ".Archive"], 1, "is an mbox"),
        (["import-mail", ANN, "{inbox}", "--user", "ann"], 2, "--user goes with pop3s://HOST"),
        (["import-mail", ANN, "pop3s://old.example"], 2, "--password-stdin"),
        (["import-mail", ANN], 2, "name a PATH or URL"),
        (["import-mail", ANN, "{inbox}", "--compare", "pop3s://old.example"], 2, "name a PATH or URL"),
        (["import-mail", ANN, "pop3s://old.example/inbox", "--password-stdin"], 2, "is no URL of a POP3 server"),
        (["import-mail", ANN, "pop3s://old.example", "--password-stdin", "--plaintext"], 2, "write pop3://"),
        (["export-mail", ANN, "{inbox}/out"], 1, "cannot be written"),
        (["export-mail", ANN], 2, "DIR"),
    ],
    ids=[
        "unknown mailbox",
        "no source",
        "unknown format",
        "unknown UIDLs",
        "folder of an mbox",
        "user of a path",
        "no password",
        "neither",
        "both",
        "no server",
        "plain TLS",
        "no folder",
        "no folder given",
    ],
)
def test_what_is_refused_is_one_line(inbox: Path, words: list[str], code: int, why: str) -> None:
    a_mailbox()
    done = process(*(word.format(inbox=inbox) for word in words), POPADMIN_DATA_DIR=str(inbox.parent))
    assert (done.returncode, done.stdout) == (code, b"")
    assert why in one_line(done.stderr)
