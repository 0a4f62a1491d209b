"""A new owner is welcomed by mail or by a letter: with a link to choose a password, and the way to set up."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.core.signing import TimestampSigner, b62_encode
from django.test import Client
from django.utils import timezone

from mailstore.models import AuditEntry, Domain, Mailbox, User
from popadmin.web import invitation_link, mail_limit
from popadmin.web.mail_limit import ACCOUNT_HOURLY
from tests.site.page_users import ANN, an_admin, an_owner, sign_in, signed_in
from tests.site.rows import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "a wholly different one"


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def text(response: Any) -> str:
    return " ".join(html.unescape(response.content.decode()).split())


def a_letter(root: Client, mailbox: Mailbox) -> tuple[Any, str]:
    """The letter, and the path of the link in it."""
    response = root.post(f"/mailboxes/{mailbox.pk}/letter/")
    return response, re.search(r"http://testserver(/password/invitation/\S+?)<", text(response))[1]


def choose(path: str) -> Any:
    return Client().post(path, {"new_password1": NEW, "new_password2": NEW}, follow=True)


def test_an_invitation_goes_to_the_recovery_address_and_the_audit_has_it(root: Client, mailoutbox: Any) -> None:
    ann = an_owner()
    assert "Send invitation" not in text(root.get(f"/mailboxes/{ann.pk}/password/"))
    refused = root.post(f"/mailboxes/{ann.pk}/invitation/", follow=True)
    assert "has no recovery address" in text(refused)
    User.objects.filter(address=ANN).update(recovery_address="ann@home.example")
    assert "Send invitation" in text(root.get(f"/mailboxes/{ann.pk}/password/"))
    sent = root.post(f"/mailboxes/{ann.pk}/invitation/", follow=True)
    assert "on its way to a•••@home.example" in text(sent)
    (mail,) = mailoutbox
    assert mail.to == ["ann@home.example"]
    assert "/password/invitation/" in mail.body
    assert "http://testserver/setup/" in mail.body
    assert "mailed a link to choose a password to" in text(root.get(f"/mailboxes/{ann.pk}/diary/"))


def test_invitations_share_the_hourly_limit_of_forgotten_passwords(root: Client, mailoutbox: Any) -> None:
    bob = an_owner("bob@example.org")
    User.objects.filter(address="bob@example.org").update(recovery_address="bob@home.example")
    answers = [text(root.post(f"/mailboxes/{bob.pk}/invitation/", follow=True)) for _ in range(ACCOUNT_HOURLY + 1)]
    assert "too many within an hour" in answers[-1]
    assert not any("too many within an hour" in answer for answer in answers[:-1])
    assert len(mailoutbox) == ACCOUNT_HOURLY
    assert not mail_limit.may_mail("bob@example.org"), "the forgotten page counts under the same name"


def test_the_letter_has_all_that_a_new_owner_needs_and_no_password(root: Client) -> None:
    ann = an_owner(name="Ann Smith")
    letter, path = a_letter(root, ann)
    for needed in ("Hello Ann Smith,", ANN, "http://testserver/setup/", "1995", "465"):
        assert needed in text(letter)
    assert PASSWORD not in text(letter)
    assert letter.context["link_code"].text.endswith(path)
    entry = AuditEntry.objects.get(verb="mailbox.letter")
    assert (entry.mailbox, entry.actor_name) == (ann, "root")


def test_the_letter_is_in_the_language_of_its_reader(root: Client) -> None:
    ann = an_owner()
    User.objects.filter(address=ANN).update(language="fr")
    assert '<html lang="fr"' in text(a_letter(root, ann)[0])
    assert '<html lang="en"' in text(root.get(f"/mailboxes/{ann.pk}/"))


def test_the_link_lets_the_owner_choose_a_password_once(root: Client) -> None:
    ann = an_owner()
    User.objects.filter(address=ANN).update(must_change_password=True)
    path = a_letter(root, ann)[1]
    assert "Choose your password" in text(Client().get(path))
    choose(path)
    assert sign_in(Client(), ANN, NEW).status_code == 302
    assert not User.objects.get(address=ANN).must_change_password
    assert choose(path).status_code == 410


@pytest.mark.parametrize(
    "change",
    [
        lambda: User.objects.filter(address=ANN).update(password="!"),
        lambda: User.objects.filter(address=ANN).update(is_active=False),
        lambda: User.objects.filter(address=ANN).update(last_login=timezone.now()),
        lambda: Domain.objects.update(active=False),
        lambda: Mailbox.objects.update(web=False),
    ],
    ids=["password", "suspended", "signed in", "domain", "web"],
)
def test_the_link_ends_with_what_it_was_made_for(root: Client, change: Any) -> None:
    path = a_letter(root, an_owner())[1]
    change()
    assert Client().get(path).status_code == 410


def test_the_link_is_good_for_a_week(root: Client) -> None:
    user = an_owner().user
    signer = invitation_link._signer(user)

    class Earlier(TimestampSigner):
        def timestamp(self) -> str:
            return b62_encode(int((timezone.now() - invitation_link.VALID).timestamp()) - 1)

    for token, status in ((signer.sign(str(user.pk)), 200), (Earlier(salt=signer.salt).sign(str(user.pk)), 410)):
        assert Client().get(f"/password/invitation/{token}/").status_code == status


def test_the_link_is_good_for_its_own_user(root: Client) -> None:
    ann, bob = an_owner(), an_owner("bob@example.org")
    token = a_letter(root, ann)[1].removesuffix("/").rpartition("/")[2]
    _key, signature = token.split(":", 1)
    for false in (f"{bob.user.pk}:{signature}", f"{ann.user.pk}:x:y", "x", "9" * 40):
        assert Client().get(f"/password/invitation/{false}/").status_code == 410


def test_who_may_not_use_the_pages_gets_no_letter(root: Client) -> None:
    ann = an_owner(web=False)
    assert "Make a letter" not in text(root.get(f"/mailboxes/{ann.pk}/password/"))
    answer = root.post(f"/mailboxes/{ann.pk}/letter/", follow=True)
    assert "may not use these pages" in text(answer)
    assert not AuditEntry.objects.filter(verb="mailbox.letter").exists()
