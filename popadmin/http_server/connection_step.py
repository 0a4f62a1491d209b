"""The steps of a connection, in the order in which a request passes them.

IDLE -> HEAD -> BODY -> WORKING -> ANSWERING -> IDLE, or LINGERING until the peer closes
                BODY -> CHECKING -> BODY: a thread checks whether the peer may send this much
"""

from __future__ import annotations

from enum import Enum, auto


class Step(Enum):
    IDLE = auto()  # between two requests
    HEAD = auto()
    BODY = auto()
    CHECKING = auto()  # a thread checks who sends this much
    WORKING = auto()  # a thread has the request, or will get it
    ANSWERING = auto()
    LINGERING = auto()  # everything is sent; the peer should close
    CLOSED = auto()


# At the limit of connections, the one that has waited longest in one of these states is closed for a new one.
GIVES_WAY = frozenset({Step.IDLE, Step.HEAD, Step.BODY, Step.LINGERING})
