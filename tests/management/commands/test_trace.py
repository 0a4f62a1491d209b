"""`trace`: what an admin at the shell learns about mail that did not come."""

from __future__ import annotations

import json

import pytest

from mailstore.directory import mailbox_rename
from tests.management.command_runner import one_line, process, said
from tests.site.rows import ACTOR, a_mailbox
from tests.site.traces import an_answer

pytestmark = pytest.mark.django_db
KEYS = {
    "at", "first_at", "count", "source", "answer", "reason", "reply", "sender", "recipient", "mailbox", "mailboxes",
    "via", "octets", "message_id", "uidl", "queue_id", "mta_id", "client", "sending_server", "did_you_mean",
}  # fmt: skip


def test_an_address_is_found_as_sender_or_recipient_known_or_not_newest_first() -> None:
    ann = a_mailbox()
    an_answer("deferred", "full", mailbox=ann, reply="452 4.2.2 the mailbox is full")
    an_answer("refused", "unknown", recipient="nobody@example.org", tries=3)
    an_answer(mailbox=ann, mta_id="4XyzA1B2", octets=4200)
    heading, *lines = said("trace", "ANN@example.org").splitlines()
    assert heading.split()[:3] == ["TIME", "ANSWER", "REASON"]
    assert ["delivered" in lines[0], "4XyzA1B2" in lines[0], "full" in lines[1], len(lines)] == [True, True, True, 2]
    assert "refused x3  unknown" in said("trace", "nobody@example.org")
    assert len(said("trace", "claire@notaires.example").splitlines()) == 4
    assert len(said("trace", "@example.org", "--newest", "1").splitlines()) == 2
    assert said("trace", "xyz@example.com") == "xyz@example.com: no answer is recorded\n"


def test_a_mailbox_is_found_with_what_came_by_an_alias_and_by_its_former_name() -> None:
    ann, bob = a_mailbox(), a_mailbox("bob@example.org")
    an_answer(mailbox=ann, recipient="all@example.org", queue_id="q1", mailbox_count=2)
    an_answer(mailbox=bob, recipient="all@example.org", queue_id="q1", mailbox_count=2, copy=True)
    for address in ("ann@example.org", "bob@example.org", "all@example.org"):
        assert len(said("trace", address).splitlines()) == 2, address
    mailbox_rename.rename("ann@example.org", "anna@example.org", actor=ACTOR)
    assert "all@example.org" in said("trace", "anna@example.org")


def test_json_has_every_key() -> None:
    an_answer(mailbox=a_mailbox(), via=["info@example.org"])
    (row,) = json.loads(said("trace", "ann@example.org", "--answer", "delivered", "--json"))
    assert set(row) == KEYS
    assert (row["mailbox"], row["via"]) == ("ann@example.org", ["info@example.org"])
    assert row["did_you_mean"] == []
    assert json.loads(said("trace", "ann@example.org", "--answer", "refused", "--json")) == []


def test_json_names_the_addresses_that_were_probably_meant() -> None:
    a_mailbox("claire@example.org")
    an_answer("refused", "unknown", recipient="Calire@example.org")
    (row,) = json.loads(said("trace", "calire@example.org", "--json"))
    assert row["did_you_mean"] == ["claire@example.org"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "text"),
    [(("an",), "write 3 or more letters"), (("ann@example.org", "--newest", "0"), "from 1 up")],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], text: str) -> None:
    done = process("trace", *words)
    assert done.returncode == 2
    assert text in one_line(done.stderr)
