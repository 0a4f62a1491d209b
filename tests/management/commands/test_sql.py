"""`sql`: the statements of the mail path, listed and printed whole."""

from __future__ import annotations

import json
import re

import pytest
from django.core.management.base import CommandError

from mailstore.management.commands.sql import STATEMENTS
from tests.management.command_runner import said


def test_it_prints_a_statement_as_it_is_executed_below_its_comment() -> None:
    text = said("sql", "deliver")
    comment = [line for line in text.splitlines() if line.startswith("-- ")]
    assert comment[0].startswith("-- deliver: Delivers a message")
    assert "--   $1 mailbox_id: the mailbox" in comment
    assert [line.partition(":")[0] for line in comment[-2:]] == ["-- Locks", "-- Round trips"]
    assert "UPDATE mailstore_mailbox box" in text
    assert text.rstrip().endswith(";")
    assert not re.search(r"(?<!:):[a-z_]+", text.partition("WITH")[2]), "no name is left: libpq takes numbers"


def test_without_a_name_it_lists_all() -> None:
    listed = [line.split()[0] for line in said("sql").splitlines()[1:]]
    assert listed == sorted(STATEMENTS)
    assert [one["name"] for one in json.loads(said("sql", "--json"))] == listed


def test_json_tells_of_one_what_it_is() -> None:
    output = json.loads(said("sql", "lock", "--json"))
    assert list(output) == ["name", "purpose", "caller", "parameters", "locks", "round_trips", "sql"]
    assert list(output["parameters"]) == ["mailbox_ids"]


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="deliverr is not a statement"):
        said("sql", "deliverr")
