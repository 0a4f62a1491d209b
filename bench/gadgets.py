"""Makes devices for the benchmark: a process of its own, "address name mode" a line in, the secrets out, one a line."""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "popadmin.settings"
    django.setup()
    # Models can be imported only now.
    from mailstore.directory import devices
    from mailstore.management.shell import actor

    for line in sys.stdin.read().splitlines():
        address, name, mode = line.split()
        print(devices.add(address, name, actor=actor(), mode=mode)[1])


if __name__ == "__main__":
    main()
