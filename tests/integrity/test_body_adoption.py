"""Bodies without rows come back as mail of a mailbox: whole ones, once, with what is still known of them."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import xxhash
from django.conf import LazySettings

from mailstore.bodies import layout, stored_body
from mailstore.bodies.files import FileBodies
from mailstore.directory import mailboxes
from mailstore.directory.outcome import Rejected
from mailstore.integrity import body_adoption
from mailstore.integrity.body_adoption import Adoption
from mailstore.integrity.fsck import Check
from mailstore.messages.message_file import unstuffed
from mailstore.models import AuditEntry, Body, Mailbox, Message
from mailstore.policy import sortable_ids
from tests.site.rows import ACTOR, a_mailbox
from tests.site.worker import conninfo

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"
WIRE = b"..Subject: x\r\n\r\n..\r\n...\r\n" + b"y" * 300_000 + b"\r\n..end"
CONTENT = b".Subject: x\r\n\r\n.\r\n..\r\n" + b"y" * 300_000 + b"\r\n.end"
TWO_HOURS = 7200
PREFIX = b"Delivered-To: ann@example.org\r\n"


@pytest.fixture
def root(settings: LazySettings, tmp_path: Path) -> Path:
    settings.DATABASE_CONNINFO = conninfo()
    settings.MAIL_STORE_URL = f"file:{tmp_path / 'bodies'}"
    return tmp_path / "bodies"


@pytest.fixture
def store(root: Path) -> FileBodies:
    made = FileBodies(root)
    made.prepare()
    return made


def without_row(root: Path, wire: bytes = WIRE, age_seconds: int = TWO_HOURS) -> str:
    key = sortable_ids.new_id(int((time.time() - age_seconds) * 1000), os.urandom(sortable_ids.RANDOM_OCTETS))
    place = root / layout.path(key)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(wire + stored_body.seal(xxhash.xxh3_128_digest(wire), len(wire)))
    return key


def run(store: FileBodies) -> list[Adoption]:
    return list(body_adoption.run(ANN, store, actor=ACTOR, progress=lambda *_told: None))


def preview(store: FileBodies) -> list[Adoption]:
    return list(body_adoption.preview(ANN, store, progress=lambda *_told: None))


def test_a_body_without_a_row_is_mail_again_with_its_octets_and_date(store: FileBodies, root: Path) -> None:
    a_mailbox()
    key = without_row(root)
    (done,) = run(store)
    message = Message.objects.get()
    assert (done.name, done.octets, done.adopted) == (key, len(CONTENT), True)
    assert (message.body.key, message.octets, bytes(message.prefix)) == (key, len(PREFIX + CONTENT), PREFIX)
    assert abs((datetime.now(UTC) - message.arrived_at).total_seconds() - TWO_HOURS) < 60
    assert b"".join(unstuffed(store, message)) == PREFIX + CONTENT
    assert list(Check(store, deep=True).run()) == []


def test_the_date_of_a_file_that_is_older_than_its_key_is_that_of_the_file(store: FileBodies, root: Path) -> None:
    a_mailbox()
    os.utime(root / layout.path(without_row(root)), (1_000_000_000, 1_000_000_000))
    run(store)
    assert Message.objects.get().arrived_at == datetime.fromtimestamp(1_000_000_000, UTC)


def test_the_quota_does_not_bar_what_comes_back_and_counts_it(store: FileBodies, root: Path) -> None:
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=1)
    for _body in range(60):
        without_row(root)
    assert len(run(store)) == 60
    box = Mailbox.objects.get()
    assert (box.messages, box.octets) == (60, 60 * len(PREFIX + CONTENT))
    assert len(set(Message.objects.values_list("uidl", flat=True))) == 60


def test_a_second_run_finds_nothing_left(store: FileBodies, root: Path) -> None:
    a_mailbox()
    without_row(root)
    run(store)
    assert (run(store), Message.objects.count()) == ([], 1)
    assert list(AuditEntry.objects.filter(verb="mailbox.adopt").values_list("subject", flat=True)) == [ANN]


def test_a_run_that_ends_early_is_gone_on_with(store: FileBodies, root: Path) -> None:
    a_mailbox()
    for _body in range(3):
        without_row(root)
    half = body_adoption.run(ANN, store, actor=ACTOR, progress=lambda *_told: None)
    next(half)
    half.close()
    run(store)
    assert (Message.objects.count(), Body.objects.count(), list(Check(store).run())) == (3, 3, [])


def test_what_rests_in_the_quarantine_comes_back_too(store: FileBodies, root: Path) -> None:
    a_mailbox()
    key = without_row(root)
    store.set_aside([key])
    assert [one.name for one in preview(store)] == [key]
    assert [one.name for one in run(store)] == [key]
    assert (list(store.quarantined()), list(store.keys())) == ([], [key])
    assert b"".join(unstuffed(store, Message.objects.get())) == PREFIX + CONTENT


def test_what_was_brought_back_by_a_run_that_died_is_adopted_by_the_next(store: FileBodies, root: Path) -> None:
    a_mailbox()
    key = without_row(root)
    store.set_aside([key])
    store.bring_back(next(store.quarantined()).name)
    assert [(one.name, one.adopted) for one in run(store)] == [(key, True)]


def test_a_preview_says_the_same_and_changes_nothing(store: FileBodies, root: Path) -> None:
    a_mailbox()
    key = without_row(root)
    (adoption,) = preview(store)
    assert (adoption.name, adoption.octets, adoption.adopted) == (key, len(CONTENT), False)
    assert (Message.objects.count(), Body.objects.count(), AuditEntry.objects.filter(verb="mailbox.adopt").count()) == (
        0,
        0,
        0,
    )


@pytest.mark.parametrize("harm", ["cut", "changed", "folder", "short"])
def test_a_body_that_is_not_whole_is_named_and_never_mail(store: FileBodies, root: Path, harm: str) -> None:
    a_mailbox()
    key, whole = without_row(root), without_row(root, b"whole\r\n")
    place = root / layout.path(key)
    data = place.read_bytes()
    place.unlink()
    if harm == "folder":
        place.mkdir()
    else:
        place.write_bytes({"cut": data[:-1], "changed": data[:9] + b"!" + data[10:], "short": b"x"}[harm])
    done = {one.name: one for one in run(store)}
    assert (done[key].adopted, done[whole].adopted) == (False, True)
    assert key in str(done[key].why_not)
    assert [message.body.key for message in Message.objects.all()] == [whole]
    assert key in set(store.keys())


def test_a_body_of_a_delivery_under_way_is_left_alone(store: FileBodies, root: Path) -> None:
    a_mailbox()
    without_row(root, age_seconds=60)
    assert (preview(store), run(store)) == ([], [])


def test_a_mailbox_that_is_not_there_adopts_nothing(store: FileBodies, root: Path) -> None:
    without_row(root)
    with pytest.raises(Rejected):
        run(store)
    with pytest.raises(Rejected):
        preview(store)
