"""Fixtures that several folders of tests share."""

import sys
from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.core.management.base import CommandError
from django.test import TransactionTestCase
from django.utils import translation

pytest_plugins = ["tests.listeners", "tests.site.fixtures"]

FLUSHES = 5


def _emptied(case: TransactionTestCase, *, empty: Callable[[TransactionTestCase], None]) -> None:
    """A listener that runs through a whole file of tests may have a statement under way: one of the two gives way."""
    for _attempt in range(FLUSHES - 1):
        try:
            return empty(case)
        except CommandError:
            continue
    return empty(case)


@pytest.fixture(autouse=True, scope="session")
def flushes_that_try_again() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        empty = TransactionTestCase._fixture_teardown
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: _emptied(case, empty=empty))
        yield


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Every test begins in English, whatever language a page was asked for before."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Rows of an earlier test may have had the same keys."""
    cache.clear()


@pytest.fixture(autouse=True)
def old_servers_are_unknown() -> Iterator[None]:
    """What the pages of this process remember of old servers is of one test."""
    yield
    if pages := sys.modules.get("popadmin.signin.moving"):
        pages._moves.cache_clear()
