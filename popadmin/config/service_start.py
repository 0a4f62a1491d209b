"""When the service that this process belongs to began; not what it serves."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

STARTED_FIELD = 19  # of /proc/PID/stat behind the name: proc(5), field 22, in clock ticks since boot


def started_at() -> datetime:
    """The start of the session's leader: of gunicorn's master, whose workers come and go.

    It is the session's leader under `up`, under systemd and in a container.
    """
    ticks = _start_ticks(os.getsid(0)) or _start_ticks(os.getpid())
    age_seconds = time.clock_gettime(time.CLOCK_BOOTTIME) - (ticks or 0) / os.sysconf("SC_CLK_TCK")
    return datetime.fromtimestamp(time.time() - age_seconds, UTC)


def _start_ticks(pid: int) -> int | None:
    """None where the process cannot be seen, as the leader of a session that began outside a container."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[STARTED_FIELD])
    except OSError:
        return None
