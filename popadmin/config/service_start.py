"""When the service that this process belongs to started."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

STARTED_FIELD = 19  # of /proc/PID/stat behind the name: proc(5), field 22, in clock ticks since boot


def started_at() -> datetime:
    """Return the start of the session leader: gunicorn's master, while its workers come and go.

    The master leads the session under `up`, under systemd and in a container.
    """
    ticks = _start_ticks(os.getsid(0)) or _start_ticks(os.getpid())
    age_seconds = time.clock_gettime(time.CLOCK_BOOTTIME) - (ticks or 0) / os.sysconf("SC_CLK_TCK")
    return datetime.fromtimestamp(time.time() - age_seconds, UTC)


def _start_ticks(pid: int) -> int | None:
    """Return the start of a process in clock ticks; None if it cannot be seen.

    The leader of a session that began outside a container cannot be seen inside.
    """
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[STARTED_FIELD])
    except OSError:
        return None
