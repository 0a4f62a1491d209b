"""A limit that leaves no room for new mail: the page says so, and saves it when the user sends the form again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DESPITE = "despite"  # the name of the hidden field with the token


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Limits that are reached already. `token` stands for the values that the user was warned of."""

    token: str
    text: str

    def is_accepted(self, sent: Mapping[str, str]) -> bool:
        """Return whether the user has seen this very warning."""
        return sent.get(DESPITE) == self.token
