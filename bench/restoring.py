"""Restores for the benchmark: a process of its own, "address device" a line in, messages and milliseconds out.

All that rests in the mailbox comes back, for that device only; for all devices where the line names none.
"""

from __future__ import annotations

import os
import sys
import time

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "popadmin.settings"
    django.setup()
    # Models can be imported only now.
    from mailstore.directory import mailbox_lookup
    from mailstore.management.shell import actor
    from mailstore.messages import recovery

    for line in sys.stdin.read().splitlines():
        address, *devices = line.split()
        mailbox_lookup.get(address)  # connected before the clock runs
        start = time.perf_counter()
        done = recovery.restore(address, recovery.ALL, actor=actor(), devices=devices or None)
        print(done.messages, 1000 * (time.perf_counter() - start))


if __name__ == "__main__":
    main()
