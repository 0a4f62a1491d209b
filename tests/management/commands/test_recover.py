"""`recover`: what an admin restores by count and date, without ever seeing what it is about."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.models import Mailbox, Message
from tests.management.command_runner import one_line, process, said
from tests.site.rows import a_mailbox, a_message

ANN = "ann@example.org"


@pytest.fixture
def box(db) -> Mailbox:
    box = a_mailbox()
    for hours in (48, 24, 1):
        a_message(box, removed_at=timezone.now() - timedelta(hours=hours))
    return box


def test_the_list_tells_when_and_why_but_not_what(box: Mailbox) -> None:
    rows = json.loads(said("recover", "list", ANN, "--json"))
    assert [set(row) for row in rows] == [{"uidl", "removed_at", "why", "by", "octets", "arrived_at"}] * 3
    assert [row["removed_at"] for row in rows] == sorted((row["removed_at"] for row in rows), reverse=True)
    assert len(said("recover", "list", ANN, "--newest", "2").splitlines()) == 3


def test_a_moment_and_a_count_choose(box: Mailbox) -> None:
    since = (timezone.now() - timedelta(hours=30)).isoformat()
    output = json.loads(said("recover", "restore", ANN, "--since", since, "--newest", "1", "--json"))
    assert output == {"address": ANN, "restored": 1, "octets": 100, "above_quota": False}
    assert said("recover", "restore", ANN, "--all").startswith("ann@example.org: restored 2")
    assert Message.objects.filter(removed=None).count() == 3


def test_a_purge_is_told(box: Mailbox) -> None:
    assert said("recover", "purge", ANN, "--all") == "ann@example.org: deleted 3 for good (300 bytes)\n"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("restore", ANN), 2, "say which"),
        (("purge", ANN, "--all", "--newest", "1"), 2, "say which"),
        (("restore", ANN, "--since", "soon"), 2, "is not a moment"),
        (("restore", ANN, "--newest", "0"), 2, "is not a number of messages"),
        (("restore", ANN, "--all"), 1, "none of the selected messages"),
        (("restore", "nobody@example.org", "--all"), 1, "is not a mailbox"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(words, code, text) -> None:
    a_mailbox()
    done = process("recover", *words)
    assert done.returncode == code
    assert text in one_line(done.stderr)
