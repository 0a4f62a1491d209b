"""Makes popadmin's mailboxes for the benchmark: a process of its own, one address a line in; not part of any figure."""

from __future__ import annotations

import os
import sys

import django

from bench import mail


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "popadmin.settings"
    django.setup()
    # Models can be imported only now.
    from mailstore.directory import domains, mailboxes
    from mailstore.management.shell import actor

    domains.ensure(mail.DOMAIN, actor=actor())
    for address in sys.stdin.read().split():
        mailboxes.ensure(address, actor=actor(), password=mail.PASSWORD)


if __name__ == "__main__":
    main()
