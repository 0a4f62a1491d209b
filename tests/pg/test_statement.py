"""A statement's names become numbers once, and its values stand in their order at each call."""

from __future__ import annotations

import pytest

from mailstore.pg.statement import BINARY, TEXT, Statement, numbered, statement


def made(sql: str, **parameters: str) -> Statement:
    return statement("one", sql, purpose="", caller="", locks="", round_trips="", parameters=parameters)


def test_names_are_numbered_in_the_order_of_the_parameters_wherever_they_stand() -> None:
    one = made("SELECT :last, :first, :last", first="the first", last="the last")
    assert one.sql == "SELECT $2, $1, $2"
    assert one.values(last=b"2", first=b"1") == (b"1", b"2")


@pytest.mark.parametrize("sql", ["SELECT 'a:b'", "SELECT 'it''s :b'", "SELECT now()::date", "SELECT '{}'::int4range"])
def test_what_stands_in_a_string_or_behind_a_cast_is_no_name(sql: str) -> None:
    assert numbered(sql, ()) == sql


def test_a_name_may_be_cast_and_begin_as_another_one() -> None:
    assert numbered("SELECT :key::bigint, :keys::bigint[]", ("keys", "key")) == "SELECT $2::bigint, $1::bigint[]"


@pytest.mark.parametrize("sql", ["SELECT :key, :other", "SELECT 1"])
def test_a_name_without_a_meaning_or_a_meaning_without_a_name_is_an_error(sql: str) -> None:
    with pytest.raises(ValueError, match="its parameters are"):
        numbered(sql, ("key",))


@pytest.mark.parametrize("names", ["", "first", "first other", "first last other"])
def test_values_must_be_exactly_those_of_the_statement(names: str) -> None:
    with pytest.raises((TypeError, KeyError)):
        made("SELECT :first, :last", first="", last="").values(**dict.fromkeys(names.split(), b""))


def test_one_value_is_a_row_of_one_and_none_an_empty_row() -> None:
    assert made("SELECT :only", only="").values(only=None) == (None,)
    assert made("SELECT 1").values() == ()


def test_what_is_cast_to_bytea_is_sent_in_binary() -> None:
    one = made("SELECT :text::text, :data::bytea, :many::bytea[]", text="", data="", many="")
    assert one.formats == (TEXT, BINARY, TEXT)
    assert made("SELECT :text::text", text="").formats is None, "libpq is told nothing"
