"""NUL in a message: POP clients get another octet in its place, all else keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from mailstore.bodies import layout, stored_body
from mailstore.messages import message_file
from mailstore.models import Body, Message
from tests.listener.test_body_transfer import ADDRESS, HEADER, canonical, without_trace
from tests.listeners import PASSWORD, MailSite, numbered
from tests.pop3_client import unstuffed

WITH_NUL = {
    "small": HEADER + b"a\0b\r\n\0\r\n..\0\r\n",
    "large": HEADER + b"".join(b"%06d \0 %s\r\n" % (number, b"x" * 60) for number in range(6_000)),
    "large, the last octet": HEADER + b"y" * 400_000 + b"\0",
}


def at_rest(body: Body) -> bytes:
    path = Path(settings.MAIL_STORE_URL.removeprefix("file:")) / layout.path(body.key)
    return path.read_bytes()[: -stored_body.TRAILER_OCTETS]


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "from before it was noted"])
@pytest.mark.parametrize("tls", [False, True], ids=["in clear", "TLS"])
def test_a_client_that_would_hang_on_nul_gets_another_octet(mail_site: MailSite, tls: bool, noted: bool) -> None:
    """Every count stays right: one octet for one."""
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *WITH_NUL.values())
    if not noted:
        Body.objects.update(has_nul=None)
    client = mail_site.dial_tls() if tls else mail_site.dial()
    with client.sign_in(ADDRESS, PASSWORD) as session:
        sizes = [int(row.split()[1]) for row in session.rows("LIST")]
        for number, (name, message) in enumerate(WITH_NUL.items(), 1):
            fetched = session.message(number)
            assert without_trace(fetched) == canonical(message).replace(b"\0", b"\x80"), name
            assert len(fetched) == sizes[number - 1], name
            assert session.ask(f"TOP {number} 1").startswith(b"+OK")
            assert fetched.startswith(unstuffed(session.payload())), name


def test_nul_stays_at_rest_and_in_files(mail_site: MailSite) -> None:
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *WITH_NUL.values())
    for row, message in zip(Message.objects.order_by("added"), WITH_NUL.values(), strict=True):
        assert at_rest(row.body).count(b"\0") == message.count(b"\0")
        assert without_trace(b"".join(message_file.unstuffed(message_file.site_store(), row))) == canonical(message)


def test_an_arrival_notes_whether_its_body_holds_nul(mail_site: MailSite) -> None:
    mail_site.mailbox()
    mail_site.mailbox("bob@example.org")
    mail_site.fill(ADDRESS, *numbered(1), *numbered(1, octets=400_000), *WITH_NUL.values())
    mail_site.deliver(WITH_NUL["small"], ADDRESS, "bob@example.org")
    noted = Body.objects.order_by("pk").values_list("has_nul", flat=True)
    assert list(noted) == [False, False, True, True, True, True]
