"""The region of the reader's browser. It decides the order of day and month, whatever language the page has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils.translation.trans_real import parse_accept_lang_header

UNITED_STATES = "us"
REGION_CHARACTERS = 2  # a region is two letters (RFC 5646 §2.2.4); three digits name a continent

_region: ContextVar[str] = ContextVar("region", default="")


def of_header(accept_language: str) -> str:
    """Return the region of the preferred language in Accept-Language, in lower case; empty if it has none.

    Of other languages it says nothing: a German browser sends `de,en-US`.
    """
    tags = [tag.split("-") for tag, _quality in parse_accept_lang_header(accept_language.lower())]
    preferred = (tag for tag in tags if tag[0] == tags[0][0])
    regions = (part for tag in preferred for part in tag[1:] if len(part) == REGION_CHARACTERS)
    return next(regions, "")


def of_reader() -> str:
    """Return the region of the request that is being answered; empty outside of requests."""
    return _region.get()


@contextmanager
def override(region: str) -> Iterator[None]:
    """Make this the region of the reader within the block."""
    token = _region.set(region)
    try:
        yield
    finally:
        _region.reset(token)
