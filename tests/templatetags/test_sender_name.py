"""Of the sender of a message, a sentence shows the name or the address, not both."""

from __future__ import annotations

import pytest

from popadmin.templatetags.formats import sender_name


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("Mail server <postmaster@example.org>", "Mail server"),
        ("ann@example.org", "ann@example.org"),
        ("<ann@example.org>", "ann@example.org"),
        ("", ""),
    ],
)
def test_a_sender_is_a_name_else_an_address(sender: str, shown: str) -> None:
    assert sender_name(sender) == shown
