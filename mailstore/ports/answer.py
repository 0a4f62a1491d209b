"""How an asynchronous port answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mailstore.errors import MailError

T = TypeVar("T")
Done = Callable[[T | MailError], None]
