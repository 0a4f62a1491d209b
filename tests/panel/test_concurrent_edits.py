"""Two users save at the same instant: the second one is told what the first one has changed."""

from __future__ import annotations

import html
from collections.abc import Callable
from threading import Thread

import pytest
from django.db import connection, connections, transaction
from django.http import HttpResponse
from django.test import Client

from mailstore.directory import aliases, domains, forwards, mailboxes, policies
from mailstore.models import Alias, Domain, Mailbox
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.preview_token import previewed
from tests.site.rows import ACTOR, a_domain, a_mailbox

pytestmark = pytest.mark.django_db(transaction=True)
MB = 2**20
SWITCHES = {"receives": "on", "pop": "on", "main_pop": "on", "smtp": "on", "web": "on"}
MEANWHILE = "Somebody has changed this while you had it open"
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def at_one_instant(first: Callable[[], object], second: Callable[[], HttpResponse]) -> HttpResponse:
    """The second begins once the first has changed the row, and waits for it; then the first is done."""
    answers: list[HttpResponse] = []

    def sent() -> None:
        try:
            answers.append(second())
        finally:
            connections.close_all()

    thread = Thread(target=sent)
    with transaction.atomic():
        first()
        thread.start()
        with connection.cursor() as cursor:
            while thread.is_alive():
                cursor.execute(WAITING)
                if cursor.fetchone()[0]:
                    break
    thread.join(20)
    return answers[0]


def text(answer: HttpResponse) -> str:
    return html.unescape(answer.content.decode())


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def seen(client: Client, url: str) -> str:
    return client.get(url).context["form"]["seen"].value()


def test_of_a_mailbox(root: Client) -> None:
    url = f"/mailboxes/{an_owner(quota_octets=MB).pk}/edit/"
    sent = {**SWITCHES, "seen": seen(root, url), "quota_octets": "3 MB"}
    answer = at_one_instant(
        lambda: mailboxes.ensure(ANN, actor=ACTOR, quota_octets=2 * MB), lambda: root.post(url, sent)
    )
    assert MEANWHILE in text(answer)
    assert 'value="3"' in text(answer)
    assert Mailbox.objects.get().quota_octets == 2 * MB


def test_of_a_mailbox_whose_owner_changes_the_name(root: Client) -> None:
    mailbox = an_owner()
    owner = signed_in(ANN)
    url = f"/mailboxes/{mailbox.pk}/edit/"
    sent = {**SWITCHES, "seen": seen(root, url), "name": "By the host"}
    answer = at_one_instant(
        lambda: owner.post("/settings/", {"name": "By herself", "language": "en"}), lambda: root.post(url, sent)
    )
    assert MEANWHILE in text(answer)
    assert Mailbox.objects.get().user.name == "By herself"


def test_of_a_domain(root: Client) -> None:
    a_domain()
    url = f"/domains/{Domain.objects.get().pk}/edit/"
    sent = {"seen": seen(root, url), "over_quota": "defer", "mailbox_limit": "9"}
    answer = at_one_instant(
        lambda: domains.ensure("example.org", actor=ACTOR, mailbox_limit=5), lambda: root.post(url, sent)
    )
    assert MEANWHILE in text(answer)
    assert Domain.objects.get().mailbox_limit == 5


def test_of_an_alias(root: Client) -> None:
    a_domain()
    alias = aliases.ensure("info@example.org", ["one@there.example"], actor=ACTOR).row
    url = f"/aliases/{alias.pk}/"
    sent = {"seen": seen(root, url), "targets": "three@there.example", "active": "on"}
    answer = at_one_instant(
        lambda: aliases.ensure("info@example.org", ["two@there.example"], actor=ACTOR), lambda: root.post(url, sent)
    )
    assert MEANWHILE in text(answer)
    assert Alias.objects.get().targets == ["two@there.example"]


def test_of_a_catch_all(root: Client) -> None:
    a_domain()
    url = f"/domains/{Domain.objects.get().pk}/catch-all/"
    sent = {"seen": seen(root, url), "targets": "three@there.example"}
    answer = at_one_instant(
        lambda: aliases.set_catch_all("example.org", ["two@there.example"], actor=ACTOR), lambda: root.post(url, sent)
    )
    assert MEANWHILE in text(answer)
    assert Alias.objects.get().targets == ["two@there.example"]


def test_of_an_owners_forward() -> None:
    a_domain(owner_forwards=True)
    mailbox = an_owner()
    owner = signed_in(ANN)
    sent = {"seen": seen(owner, "/settings/forwarding/"), "targets": "three@there.example", "keep_copy": "on"}
    answer = at_one_instant(
        lambda: forwards.ensure_own(mailbox, ["two@there.example"], keep_copy=True, ask_targets=False, actor=ACTOR),
        lambda: owner.post("/settings/forwarding/", sent),
    )
    assert MEANWHILE in text(answer)
    assert Alias.objects.get().targets == ["two@there.example"]


@pytest.mark.parametrize("of", [ANN, "example.org"])
def test_of_the_choice_of_a_policy(root: Client, of: str) -> None:
    a_mailbox()
    first, second = (policies.make(name, actor=ACTOR) for name in ("first", "second"))
    sent = {"of": of, "policy": second.pk, "start": "now"}
    sent |= {"previewed": previewed(text(root.post("/policies/choice/", sent))), "save": ""}
    ensure = mailboxes.ensure if "@" in of else domains.ensure
    answer = at_one_instant(lambda: ensure(of, actor=ACTOR, policy=first), lambda: root.post("/policies/choice/", sent))
    assert "Something has changed since the preview" in text(answer)
    row = Mailbox.objects.get() if "@" in of else Domain.objects.get()
    assert row.policy == first
    again = {**sent, "previewed": previewed(text(answer))}
    assert root.post("/policies/choice/", again).status_code == 302


def test_a_policy_that_was_edited_after_its_choice_was_shown_is_shown_anew(root: Client) -> None:
    a_mailbox()
    policy = policies.make("short", actor=ACTOR, expire_days=30)
    sent = {"of": ANN, "policy": policy.pk, "start": "now"}
    sent |= {"previewed": previewed(text(root.post("/policies/choice/", sent))), "save": ""}
    policies.ensure("short", actor=ACTOR, expire_days=1)
    assert "Something has changed since the preview" in text(root.post("/policies/choice/", sent))
    assert Mailbox.objects.get().policy is None


def test_of_a_new_domain(root: Client) -> None:
    sent = {"name": "example.org", "over_quota": "defer", "mailbox_limit": "9"}
    answer = at_one_instant(lambda: a_domain(mailbox_limit=5), lambda: root.post("/domains/new/", sent))
    assert "example.org already exists" in str(answer.context["form"].errors["name"])
    assert Domain.objects.get().mailbox_limit == 5


def test_of_a_new_alias(root: Client) -> None:
    a_domain()
    sent = {"address": "info@example.org", "targets": "two@there.example", "active": "on"}
    answer = at_one_instant(
        lambda: aliases.ensure("info@example.org", ["one@there.example"], actor=ACTOR),
        lambda: root.post("/aliases/new/", sent),
    )
    assert "is already an alias" in str(answer.context["form"].errors["address"])
    assert Alias.objects.get().targets == ["one@there.example"]


def test_what_is_gone_meanwhile_is_told(root: Client) -> None:
    mailbox = an_owner()
    url = f"/mailboxes/{mailbox.pk}/edit/"
    sent = {**SWITCHES, "seen": seen(root, url), "quota_octets": "3 MB"}
    answer = at_one_instant(mailbox.user.delete, lambda: root.post(url, sent))
    assert "is not a mailbox of this site" in text(answer)


def test_what_is_gone_meanwhile_is_not_made_anew_by_its_suspension(root: Client) -> None:
    mailbox = an_owner()
    domain, of_domain = mailbox.domain, f"/domains/{mailbox.domain_id}/suspension/"
    of_mailbox = f"/mailboxes/{mailbox.pk}/suspension/"
    response = at_one_instant(mailbox.user.delete, lambda: root.post(of_mailbox, {"suspended": "yes"}))
    assert (response.status_code, Mailbox.objects.count()) == (302, 0)
    response = at_one_instant(domain.delete, lambda: root.post(of_domain, {"active": "no"}))
    assert (response.status_code, Domain.objects.count()) == (302, 0)
