"""What the pages mailed, and from where a test asks: each from a network of its own, since a process remembers."""

from __future__ import annotations

import itertools
import re

from django.core import mail

from popadmin.web.mailer import mail_queue

_networks = itertools.count(1)


def somewhere() -> dict[str, str]:
    """The address of a network that no test has asked from."""
    number = next(_networks)
    return {"REMOTE_ADDR": f"10.{number // 250}.{number % 250}.7"}


def mailed() -> list[str]:
    """The texts of all mail by now."""
    mail_queue.wait()
    return [str(message.body) for message in mail.outbox]


def link() -> str:
    """The way of the last mailed link, without its host."""
    return re.search(r"http://[^/\s]+(/\S+)", mailed()[-1])[1]


def code() -> str:
    return re.search(r"^(\d{6})$", mailed()[-1], re.MULTILINE)[1]
