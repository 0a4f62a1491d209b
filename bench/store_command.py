"""Commands of the benchmark on popadmin's own store, each in a process of its own; their time is in no figure.

`mailboxes`: one address a line in. `devices`: "address name mode" a line in, one secret a line out. `restore`: "address
device" a line in, "messages milliseconds" a line out. A restore brings back everything in recovery: for the device, or
for all devices where the line names none.
"""

from __future__ import annotations

import os
import sys
import time

import django

from bench import mail


def main() -> None:
    """`python -m bench.store_command mailboxes|devices|restore`."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "popadmin.settings"
    django.setup()
    commands = {"mailboxes": create_mailboxes, "devices": create_devices, "restore": restore}
    commands[sys.argv[1]](sys.stdin.read().splitlines())


# Models can be imported only after `django.setup`.


def create_mailboxes(lines: list[str]) -> None:
    from mailstore.directory import domains, mailboxes
    from mailstore.management.shell import actor

    domains.ensure(mail.DOMAIN, actor=actor())
    for address in lines:
        mailboxes.ensure(address, actor=actor(), password=mail.PASSWORD)


def create_devices(lines: list[str]) -> None:
    from mailstore.directory import devices
    from mailstore.management.shell import actor

    for line in lines:
        address, name, mode = line.split()
        print(devices.add(address, name, actor=actor(), mode=mode)[1])


def restore(lines: list[str]) -> None:
    from mailstore.directory import mailbox_lookup
    from mailstore.management.shell import actor
    from mailstore.messages import recovery

    for line in lines:
        address, *devices = line.split()
        mailbox_lookup.get(address)  # connects before the clock starts
        start = time.perf_counter()
        done = recovery.restore(address, recovery.ALL, actor=actor(), devices=devices or None)
        print(done.messages, 1000 * (time.perf_counter() - start))


if __name__ == "__main__":
    main()
