"""A new owner is welcomed by mail or by a letter: with a link to choose a password, and the way to set up."""

from __future__ import annotations

import html
import itertools
import re
from typing import Any

import pytest
from django.core.signing import TimestampSigner, b62_encode
from django.test import Client
from django.utils import timezone

from mailstore.directory import grants
from mailstore.models import AuditEntry, Domain, Mailbox, User
from popadmin.web import invitation_link, mail_limit
from popadmin.web.mail_limit import ACCOUNT_HOURLY
from tests.site.page_users import ANN, an_admin, an_owner, sign_in, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db
NEW = "a wholly different one"
HOME = "ann@home.example"
_numbers = itertools.count()


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


# --- the address that is given at creation ----------------------------------------------------------------------


def created(client: Client, address: str = ANN, **fields: str) -> Any:
    sent = {"address": address, "pop": "on", "web": "on", "receives": "on", "invitation_address": HOME, **fields}
    return client.post("/mailboxes/new/", sent)


def link_in(mail: Any) -> str:
    return re.search(r"http://testserver(/password/invitation/\S+)", mail.body)[1]


def addresses(mailbox: Mailbox) -> tuple[str, str]:
    user = User.objects.get(pk=mailbox.user_id)
    return user.recovery_address, user.invitation_address


@pytest.fixture
def ann(root: Client) -> Mailbox:
    """A new mailbox with an address for the invitation, which is not sent yet. Mails to one name are counted."""
    a_domain()
    created(root, address := f"ann{next(_numbers)}@example.org")
    return Mailbox.objects.get(user__address=address)


@pytest.fixture
def invited(root: Client, ann: Mailbox, mailoutbox: Any) -> str:
    """The path of the link that was mailed to her."""
    root.post(f"/mailboxes/{ann.pk}/invitation/")
    (mail,) = mailoutbox
    assert mail.to == [HOME]
    return link_in(mail)


def test_a_new_mailbox_with_an_address_offers_the_invitation_at_once(root: Client) -> None:
    a_domain()
    page = text(created(root))
    assert "Mailbox created" in page
    assert f"You can also mail a link to {HOME}" in page
    assert "Send invitation" in page
    entry = AuditEntry.objects.get(verb="mailbox.create")
    assert entry.details["invitation_address"] == "a•••@home.example"


def test_the_link_that_was_mailed_proves_the_address(ann: Mailbox, invited: str) -> None:
    assert addresses(ann) == ("", HOME), "nobody has proven it yet, so no forgotten password goes there"
    choose(invited)
    assert addresses(ann) == (HOME, "")
    name = ann.user.address
    assert sign_in(Client(), name, NEW).status_code == 302
    verbs = AuditEntry.objects.filter(subject=name, actor_name=name).values_list("verb", flat=True)
    assert set(verbs) >= {"account.recovery-address", "password.reset"}
    assert choose(invited).status_code == 410


def test_another_way_to_a_password_proves_nothing_and_ends_the_invitation(
    root: Client, ann: Mailbox, invited: str
) -> None:
    choose(a_letter(root, ann)[1])
    assert addresses(ann) == ("", "")
    assert Client().get(invited).status_code == 410
    assert "has no recovery address" in text(root.post(f"/mailboxes/{ann.pk}/invitation/", follow=True))


def test_the_link_is_good_for_the_address_that_it_went_to(ann: Mailbox, invited: str) -> None:
    User.objects.filter(pk=ann.user_id).update(invitation_address="eve@home.example")
    assert Client().get(invited).status_code == 410


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("ann@other.org", "other.org is hosted here"),
        (ANN, "This is the mailbox itself"),
        ("nonsense", "nonsense"),
    ],
)
def test_an_address_that_others_here_can_read_is_refused_beside_its_field(
    root: Client, address: str, error: str
) -> None:
    a_domain()
    a_domain("other.org")
    answer = created(root, invitation_address=address)
    assert error in str(answer.context["form"].errors["invitation_address"])
    assert not Mailbox.objects.exists()


def test_a_domain_that_comes_here_later_gets_no_link_and_makes_no_recovery_address(
    root: Client, ann: Mailbox, invited: str
) -> None:
    a_domain("home.example")
    assert "has no recovery address" in text(root.post(f"/mailboxes/{ann.pk}/invitation/", follow=True))
    assert "Send invitation" not in text(root.get(f"/mailboxes/{ann.pk}/password/"))
    choose(invited)
    assert addresses(ann) == ("", "")


def test_a_domain_admin_cannot_invite_an_owner_who_administers_another_domain(ann: Mailbox, mailoutbox: Any) -> None:
    a_domain("other.org")
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    grants.grant(ann.user.address, "other.org", actor=ACTOR)
    signed_in("carla").post(f"/mailboxes/{ann.pk}/invitation/")
    assert mailoutbox == []
    User.objects.filter(pk=ann.user_id).update(recovery_address=HOME, invitation_address="")
    signed_in("carla").post(f"/mailboxes/{ann.pk}/invitation/")
    assert len(mailoutbox) == 1, "a recovery address is the owner's own choice"


def test_an_admin_cannot_make_the_site_write_to_strangers_without_end(ann: Mailbox, mailoutbox: Any) -> None:
    grants.ensure("carlo", ["example.org"], actor=ACTOR, password=PASSWORD)
    for _ in range(mail_limit.ADMIN_HOURLY):
        mail_limit.may_invite("carlo")
    assert "you have sent too many" in text(signed_in("carlo").post(f"/mailboxes/{ann.pk}/invitation/", follow=True))
    assert mailoutbox == []
