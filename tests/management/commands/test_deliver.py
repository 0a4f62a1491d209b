"""`deliver`: the exit codes an MTA's pipe understands, and a message that is really there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailstore.directory import aliases, mailbox_lookup, mailboxes
from mailstore.models import AuditEntry, Body, Message
from tests.management.command_runner import one_line, process
from tests.site.rows import ACTOR, a_domain, a_mailbox

pytestmark = pytest.mark.django_db(transaction=True)
ANN, BOB = "ann@example.org", "bob@example.org"
LETTER = b"Subject: hello\n\n.a dot\nlast line"


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A data folder of the test's own."""
    return str(tmp_path)


def test_a_delivered_message_is_stored_in_wire_form_with_its_delivery_headers(folder: str) -> None:
    a_mailbox()
    done = process("deliver", "--sender", "zoe@x.org", "Ann+news@Example.org", stdin=LETTER, POPADMIN_DATA_DIR=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    message = Message.objects.get()
    assert bytes(message.prefix).startswith(
        b"Return-Path: <zoe@x.org>\r\nDelivered-To: Ann+news@Example.org\r\nReceived: from localhost\r\n"
    )
    assert message.octets == len(message.prefix) + len(b"Subject: hello\r\n\r\n.a dot\r\nlast line\r\n")
    (path,) = Path(folder, "bodies").rglob(message.body.key)
    assert path.read_bytes().startswith(b"Subject: hello\r\n\r\n..a dot\r\nlast line\r\n")
    assert mailbox_lookup.get(ANN).messages == 1


def test_an_mbox_from_line_is_not_part_of_the_message(folder: str) -> None:
    a_mailbox()
    process("deliver", ANN, stdin=b"From zoe@x.org Sat Jan  3 01:05:34 1996\n" + LETTER, POPADMIN_DATA_DIR=folder)
    assert Body.objects.get().octets == len(b"Subject: hello\r\n\r\n.a dot\r\nlast line\r\n")


def test_two_recipients_share_one_body(folder: str) -> None:
    a_mailbox()
    a_mailbox(BOB)
    assert process("deliver", ANN, BOB, stdin=LETTER, POPADMIN_DATA_DIR=folder).returncode == 0
    assert (Message.objects.count(), Body.objects.count()) == (2, 1)


def test_an_unknown_user_is_67_and_the_others_still_get_it(folder: str) -> None:
    a_mailbox()
    done = process("deliver", "nobody@example.org", ANN, stdin=LETTER, POPADMIN_DATA_DIR=folder)
    assert done.returncode == 67
    assert one_line(done.stderr) == "popadmin: nobody@example.org: there is no such mailbox"
    assert Message.objects.count() == 1


@pytest.mark.parametrize(("over_quota", "code"), [("reject", 77), ("defer", 75)])
def test_a_full_mailbox_is_told_as_its_domain_wants(folder: str, over_quota: str, code: int) -> None:
    a_mailbox()
    a_domain(over_quota=over_quota)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=0)
    done = process("deliver", ANN, stdin=LETTER, POPADMIN_DATA_DIR=folder)
    assert done.returncode == code
    assert "the mailbox is full" in one_line(done.stderr)
    assert not Body.objects.exists()


def test_a_mailbox_that_does_not_receive_is_77(folder: str) -> None:
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, receives=False)
    assert process("deliver", ANN, stdin=LETTER, POPADMIN_DATA_DIR=folder).returncode == 77


def test_one_to_try_again_holds_all_back_so_that_none_gets_it_twice(folder: str) -> None:
    a_mailbox()
    aliases.ensure("away@example.org", ["zoe@elsewhere.example"], actor=ACTOR)
    done = process("deliver", ANN, "away@example.org", "nobody@example.org", stdin=LETTER, POPADMIN_DATA_DIR=folder)
    assert done.returncode == 75
    assert "nobody@example.org: there is no such mailbox" in one_line(done.stderr)
    assert not Message.objects.exists()


def test_a_message_above_the_limit_is_refused_and_leaves_nothing(folder: str) -> None:
    a_mailbox()
    big = LETTER + b"x" * 70_000
    done = process("deliver", ANN, stdin=big, POPADMIN_DATA_DIR=folder, MAX_MESSAGE_SIZE="64KB")
    assert (done.returncode, "too large" in one_line(done.stderr)) == (77, True)
    assert [path.name for path in Path(folder, "bodies").rglob("*") if path.is_file()] == ["popadmin-bodies"]


def test_a_database_that_is_away_is_75(folder: str) -> None:
    away = "postgres://nobody@127.0.0.1:1/none"
    done = process("deliver", ANN, stdin=LETTER, POPADMIN_DATA_DIR=folder, DATABASE_URL=away)
    assert done.returncode == 75
    assert "is away" in one_line(done.stderr)


def test_a_body_store_that_is_away_is_75(folder: str) -> None:
    a_mailbox()
    Path(folder, "bodies").write_text("in the way of the folder")
    done = process("deliver", ANN, stdin=LETTER, POPADMIN_DATA_DIR=folder)
    assert (done.returncode, one_line(done.stderr)) == (75, f"popadmin: {ANN}: try again later")


def test_a_delivery_is_no_act_of_an_admin(folder: str) -> None:
    a_mailbox()
    before = AuditEntry.objects.count()
    process("deliver", ANN, stdin=LETTER, POPADMIN_DATA_DIR=folder)
    assert AuditEntry.objects.count() == before
