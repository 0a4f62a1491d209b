"""Mail that the site sends: the setting of the server, the queue, and a server that does not answer."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from popadmin.config import mail_url
from popadmin.web.mailer import WAITING_LIMIT, MailQueue, NotSent, send


@pytest.mark.parametrize(
    ("url", "port", "starttls", "tls"),
    [
        ("smtp://mail.example.org", 25, False, False),
        ("smtp://mail.example.org:2525", 2525, False, False),
        ("smtp+tls://mail.example.org", 587, True, False),
        ("smtp+ssl://mail.example.org", 465, False, True),
    ],
)
def test_the_scheme_says_how_the_server_is_met(url, port, starttls, tls):
    found = mail_url.read(url)
    assert (found.host, found.port, found.starttls, found.tls) == ("mail.example.org", port, starttls, tls)


def test_user_and_password_may_hold_any_character():
    found = mail_url.read("smtp+tls://me%40example.org:p%3A%2Fw@mail.example.org")
    assert (found.user, found.password) == ("me@example.org", "p:/w")


def test_a_folder_with_any_name_takes_the_mail_of_a_demo():
    assert mail_url.to_files(Path("/srv/a+b %20")).folder == "/srv/a+b %20"
    assert mail_url.read("filemail:////srv/mail-out").folder == "/srv/mail-out"


@pytest.mark.parametrize(
    "url",
    ["", "mail.example.org", "smtps://h", "smtp://", "smtp://h/path", "smtp://h:0", "smtp://h?a=b", "filemail://x/y"],
)
def test_whatever_else_it_says_is_refused(url):
    with pytest.raises(ValueError):
        mail_url.read(url)


def test_a_server_that_does_not_answer_is_told_in_the_log_and_to_the_caller(settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # taken, and nobody listens
        settings.EMAIL_HOST, settings.EMAIL_PORT = held.getsockname()
        with caplog.at_level(logging.ERROR), pytest.raises(NotSent):
            send(EmailMessage("hello", "you", to=["ann@example.org"]))
    assert "a mail was not sent" in caplog.text


def test_the_mail_queue_sends_after_the_answer_and_survives_a_mail_that_cannot_be_sent():
    mail_queue = MailQueue()
    for to in ("ann@example.org\nBcc: x@example.org", "ann@example.org"):
        mail_queue.put(EmailMessage("hello", "you", to=[to]))
    mail_queue.wait()
    assert [message.to for message in mail.outbox] == [["ann@example.org"]]


def test_a_server_that_does_not_answer_fills_no_memory(caplog):
    mail_queue = MailQueue()
    held = [mail_queue._room.acquire(blocking=False) for _n in range(WAITING_LIMIT)]  # as many as may wait
    with caplog.at_level(logging.ERROR):
        mail_queue.put(EmailMessage("hello", "you", to=["ann@example.org"]))
    mail_queue.wait()
    assert all(held)
    assert mail.outbox == []
    assert "others wait" in caplog.text
