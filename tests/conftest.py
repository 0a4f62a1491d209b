"""Fixtures that several folders of tests share."""

from collections.abc import Iterator

import pytest
from django.utils import translation

pytest_plugins = ["tests.running"]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Every test begins in English, whatever language a page was asked for before."""
    with translation.override("en"):
        yield
