"""A cell of a file is read as it was written, whatever kind of field it holds; what cannot be read is refused."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone

from mailstore.directory.fields.domain import ALIAS, DOMAIN
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.fields.policy import POLICY
from mailstore.directory.outcome import Rejected
from mailstore.models import Domain, RetentionPolicy
from mailstore.transfer import cell, row_reader
from tests.site.rows import a_domain

FIELDS = {field.kind: field for table in (POLICY, ALIAS, DOMAIN, MAILBOX) for field in table}
LAST_MOMENT = timezone.make_aware(datetime.datetime.combine(datetime.date(2027, 12, 31), datetime.time.max))
VALUES: dict[Kind, tuple[Any, ...]] = {
    Kind.TEXT: ("Ann Smith",),
    Kind.SWITCH: (True, False),
    Kind.SIZE: (5 * 2**20, None),
    Kind.COUNT: (7, None),
    Kind.DAYS: (30,),
    Kind.DAYS_OR_NEVER: (30, None),
    Kind.CHOICE: tuple(FIELDS[Kind.CHOICE].choices),
    Kind.SERVER: ("pop3s://mail.old.example", None),
    Kind.LAST_DAY: (LAST_MOMENT, None),
    Kind.ADDRESSES: (["ann@example.org", "bob@example.org"],),
}
NAMED = (Kind.POLICY, Kind.DOMAIN)  # a row, which the reader of a file finds by its name


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_a_cell_of_each_kind_is_read_as_it_was_written(kind: Kind) -> None:
    field = FIELDS[kind]
    if kind in NAMED:
        row = RetentionPolicy(name="Brief") if kind is Kind.POLICY else Domain(name="example.org")
        assert cell.read(field, str(cell.write(field, row))) == row.name
    else:
        assert [cell.read(field, str(cell.write(field, value))) for value in VALUES[kind]] == list(VALUES[kind])


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.SWITCH, "perhaps"),
        (Kind.SIZE, "much"),
        (Kind.COUNT, "many"),
        (Kind.DAYS, "none"),
        (Kind.DAYS_OR_NEVER, "-1"),
        (Kind.CHOICE, "both"),
        (Kind.SERVER, "imaps://mail.old.example"),
        (Kind.LAST_DAY, "31/12/2027"),
    ],
)
def test_a_cell_that_cannot_be_read_is_refused_by_name(kind: Kind, text: str) -> None:
    with pytest.raises(Rejected, match=text):
        cell.read(FIELDS[kind], text)


@pytest.mark.django_db
def test_a_domain_in_a_cell_is_one_that_the_user_may_see() -> None:
    domain = Domain.objects.get(name=a_domain("example.org"))
    names = ["example.org", "none"]
    assert row_reader.domains_named(names, None) == {"example.org": domain}
    assert row_reader.domains_named(names, ["example.org"]) == {"example.org": domain}
    assert row_reader.domains_named(names, ["other.org"]) == {}


def test_a_switch_is_read_as_databases_write_it():
    assert [cell.read_switch(text) for text in ("t", "f", "T", "1", "0")] == [True, False, True, True, False]
