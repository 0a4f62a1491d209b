"""Mail that comes back is refused, and what the MTA should have sent on is deferred; both are noted for the pages."""

from __future__ import annotations

from django.test import Client

from mailstore.directory import aliases
from mailstore.errors import AliasOutside, MailLoop
from mailstore.models import Alias, Mailbox, Message
from mailstore.ports import Delivered, Recipient
from tests.site.mail import Mail
from tests.site.page_users import an_admin, signed_in
from tests.site.rows import ACTOR, a_mailbox

ANN, BOB, INFO = "ann@example.org", "bob@example.org", "info@example.org"
BACK = b"Delivered-To: ann@example.org\r\nSubject: again\r\n\r\nthere\r\n"


def accepted(mail: Mail, address: str) -> Recipient:
    found = mail.recipient(address)
    assert isinstance(found, Recipient)
    return found


def overview() -> str:
    an_admin()
    client: Client = signed_in("root")
    return client.get("/overview/").content.decode()


def test_a_message_that_comes_back_is_refused_for_its_address_alone_and_the_overview_says_so(mail: Mail) -> None:
    for address in (ANN, BOB):
        a_mailbox(address)
    answers = mail.commit([accepted(mail, ANN), accepted(mail, BOB)], BACK)
    assert [type(answer) for answer in answers] == [MailLoop, Delivered]
    assert [message.mailbox.user.address for message in Message.objects.all()] == [BOB]
    assert type(mail.deliver(ANN, BACK)) is MailLoop
    mail.worker.until(lambda: Mailbox.objects.get(user__address=ANN).looped_at is not None, "it is noted")
    assert Mailbox.objects.get(user__address=BOB).looped_at is None
    assert "Mail for ann@example.org goes in a circle" in overview()


def test_mail_for_an_alias_that_the_mta_did_not_expand_is_noted_where_the_alias_is_shown(mail: Mail) -> None:
    a_mailbox(ANN)
    aliases.ensure(INFO, [ANN, "x@elsewhere.example"], actor=ACTOR)
    assert isinstance(mail.recipient("info+a@example.org"), AliasOutside)
    mail.worker.until(lambda: Alias.objects.get().unexpanded_at is not None, "it is noted")
    first = Alias.objects.get().unexpanded_at
    assert "Mail for info@example.org waits at the mail server" in overview()
    page = signed_in("root").get(f"/aliases/{Alias.objects.get().pk}/").content.decode()
    assert "does not expand the address" in page
    assert isinstance(mail.recipient(INFO), AliasOutside)
    assert mail.recipient(ANN) is not None  # behind the note on the same lanes
    assert Alias.objects.get().unexpanded_at == first  # a write a minute at most
