"""Mail from the site to its users, in their language, through the server of EMAIL_URL. Nothing is stored."""

from __future__ import annotations

import logging
import smtplib
from concurrent.futures import ThreadPoolExecutor
from email.utils import make_msgid
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

log = logging.getLogger("popadmin.mail")

WAITING_LIMIT = 100  # mails that wait while the server does not answer: a quarter of an hour; more are dropped


class NotSent(Exception):
    """The server of EMAIL_URL did not accept the mail; the log has the reason."""


def compose(template: str, to: str, language: str, **context: Any) -> EmailMessage:
    """Fill in `templates/mail/TEMPLATE.txt`: its first line is the subject, its text begins after an empty line."""
    with translation.override(language or settings.LANGUAGE_CODE):
        text = render_to_string(f"mail/{template}.txt", context)
    subject, _blank, body = text.strip().partition("\n\n")
    headers = {
        "Auto-Submitted": "auto-generated",  # RFC 3834 §5: no automatic replies
        "Message-ID": make_msgid(domain=settings.PUBLIC_HOSTNAME),  # Django's own would ask the resolver
    }
    return EmailMessage(" ".join(subject.split()), body.strip() + "\n", to=[to], headers=headers)


def send(message: EmailMessage) -> None:
    """Send the mail, or raise NotSent after at most EMAIL_TIMEOUT per step."""
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        log.error("a mail was not sent: %s", error)  # noqa: TRY400 - a trace would tell nothing more
        raise NotSent(str(error)) from error


class MailQueue:
    """Send mails one by one after the answer, so that the time of the answer reveals nothing."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mail-queue")
        self._room = BoundedSemaphore(WAITING_LIMIT)

    def put(self, message: EmailMessage) -> None:
        """Send the mail soon. If too many are waiting it is dropped, and the log says so."""
        if not self._room.acquire(blocking=False):
            log.error("a mail was not sent: %d others wait for the mail server", WAITING_LIMIT)
            return
        self._thread.submit(self._send, message)

    def wait(self) -> None:
        """Return when everything that was put before has been sent."""
        self._thread.submit(lambda: None).result()

    def _send(self, message: EmailMessage) -> None:
        try:
            send(message)
        except NotSent:
            pass  # the log has it, and no request waits for it
        except Exception:
            log.exception("a mail was not sent")
        finally:
            self._room.release()


mail_queue = MailQueue()
