"""How a port answers that cannot answer at once.

The caller passes `done`. The port calls it exactly once, with a value or with a `MailError`; it may do so before the
call returns. The call itself never raises. A session that has ended by then ignores the answer. There is no task, no
future and no coroutine, so an answer costs one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mailstore.errors import MailError

T = TypeVar("T")
Done = Callable[[T | MailError], None]
