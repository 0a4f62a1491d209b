"""A program that creates the mailboxes p0@example.org, p1@… on the database of its environment."""

from __future__ import annotations

import sys

import django

django.setup()

from tests.site.rows import a_mailbox  # noqa: E402 - models need the setup above

for number in range(int(sys.argv[1])):
    a_mailbox(f"p{number}@example.org")
