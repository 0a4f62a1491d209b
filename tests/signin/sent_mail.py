"""The mail that the pages sent, and a new network for each request, because a process counts requests per network."""

from __future__ import annotations

import itertools
import re

from django.core import mail

from popadmin.web.mailer import mail_queue

_networks = itertools.count(1)


def somewhere() -> dict[str, str]:
    """Return an address in a network that no test has used."""
    number = next(_networks)
    return {"REMOTE_ADDR": f"10.{number // 250}.{number % 250}.7"}


def mailed() -> list[str]:
    """Return the texts of all mail so far."""
    mail_queue.wait()
    return [str(message.body) for message in mail.outbox]


def link() -> str:
    """Return the path of the last mailed link."""
    return re.search(r"http://[^/\s]+(/\S+)", mailed()[-1])[1]


def code() -> str:
    return re.search(r"^(\d{6})$", mailed()[-1], re.MULTILINE)[1]
