"""The states of a session of the policy service. Every line of a request is legal in both."""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    """Where a session stands between two lines."""

    BETWEEN = auto()  # two requests
    REQUEST = auto()  # some attributes have come
