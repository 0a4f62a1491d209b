"""Subjects and senders are read when an owner asks, once, and what cannot be read hides nothing."""

from __future__ import annotations

import pytest

from mailstore.bodies.files import FileBodies
from mailstore.messages import message_summary, recovery
from mailstore.messages.recovery import Choice
from mailstore.models import Body, Mailbox, Message
from tests.site.mail import Mail
from tests.site.rows import a_mailbox

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"


@pytest.fixture
def box(mail: Mail) -> Mailbox:
    """Three messages that a plain client has drained."""
    a_mailbox()
    for subject, sender in (("Lunch", "Bob <bob@example.com>"), ("=?utf-8?q?caf=C3=A9?=", "Eve"), ("invoice 7", "bob")):
        mail.deliver(ANN, f"From: {sender}\r\nSubject: {subject}\r\n\r\nSubject: no\r\n".encode())
    drop = mail.open(ANN)
    mail.remove(drop, 1, 2, 3)
    return Mailbox.objects.get()


def subjects(box: Mailbox, words: str = "") -> list[str | None]:
    return [row.body.subject for row in recovery.resting(box, Choice(words=words)).select_related("body")]


def test_a_delivery_reads_no_header(box: Mailbox) -> None:
    assert subjects(box) == [None, None, None]


def test_what_is_shown_is_read_and_kept(box: Mailbox, bodies: FileBodies) -> None:
    rows = list(recovery.resting(box, Choice(newest=2)).select_related("body"))
    message_summary.fill(bodies, rows)
    assert [row.body.subject for row in rows] == ["invoice 7", "café"]
    assert subjects(box) == ["invoice 7", "café", None]


def test_a_search_reads_all_and_finds_every_word_in_subject_or_sender(box: Mailbox, bodies: FileBodies) -> None:
    assert message_summary.prepare(bodies, recovery.resting(box)) == 0
    assert subjects(box, "BOB") == ["invoice 7", "Lunch"]
    assert subjects(box, "bob lun") == ["Lunch"]
    assert subjects(box, "CAFÉ") == ["café"]
    assert subjects(box, "100%") == []


def test_a_search_without_time_says_how_much_is_unread(box: Mailbox, bodies: FileBodies) -> None:
    clock = iter([0.0, 9.0])
    assert message_summary.prepare(bodies, recovery.resting(box), now=lambda: next(clock)) == 3


def test_a_lost_body_has_no_summary_and_stops_no_search(box: Mailbox, bodies: FileBodies) -> None:
    bodies.remove(Message.objects.order_by("pk")[0].body.key)
    assert message_summary.prepare(bodies, recovery.resting(box)) == 0
    assert subjects(box, "invoice") == ["invoice 7"]


def test_a_store_that_is_away_leaves_them_unread(box: Mailbox, tmp_path) -> None:
    away = FileBodies(tmp_path / "nowhere")
    assert message_summary.prepare(away, recovery.resting(box)) == 3
    assert Body.objects.filter(subject=None).count() == 3
