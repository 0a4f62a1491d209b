"""The pages of retention policies: access, previews, and that only what was previewed is saved."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from mailstore.directory import mailboxes, policies
from mailstore.models import AuditEntry, DomainGrant, Mailbox, MailboxImportRow, RetentionPolicy, User
from popadmin.panel.views import policy_undo
from tests.messages.test_mailbox_usage import has, signed_in
from tests.panel.test_mailbox_import import run_steps, upload_and_check
from tests.site.preview_token import previewed
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


@pytest.fixture
def host(client: Client) -> Client:
    client.force_login(User.objects.create(address="host", role=User.Role.ADMIN))
    return client


def filled(**changes: object) -> dict[str, object]:
    """The form as a browser sends it."""
    plain = {
        "name": "short", "hold_days": 7, "relief": "never", "silent_days": 45, "recovery_days": 30,
        "recovery_octets": "", "diary_days": 90, "expire_days": "", "expire_confirmed_days": "", "start": "now",
    }  # fmt: skip
    return plain | changes


def shown_then_saved(client: Client, url: str, form: dict[str, object]) -> str:
    """Send the form twice, as a person does; returns the page with the preview."""
    page = client.post(url, form).content.decode()
    answer = client.post(url, {**form, "previewed": previewed(page), "save": "yes"})
    assert answer.status_code == 302
    return page


def test_a_policy_is_made_after_a_look(host: Client) -> None:
    page = shown_then_saved(host, reverse("policies-new"), filled(expire_days=30, recovery_octets="1 GB"))
    assert "No message is removed within 30 days" in page
    policy = RetentionPolicy.objects.get()
    assert (policy.name, policy.expire_days, policy.recovery_octets) == ("short", 30, 2**30)
    listed = host.get(reverse("policies")).content.decode()
    assert "Mail is removed 30 days after it arrived, if it was fetched." in listed


def test_nothing_is_saved_unseen(host: Client) -> None:
    page = host.post(reverse("policies-new"), filled(save="yes")).content.decode()
    assert not RetentionPolicy.objects.exists()
    stolen = previewed(page)
    host.post(reverse("policies-new"), filled(expire_days=1, start="at-once", previewed=stolen, save="yes"))
    assert not RetentionPolicy.objects.exists(), "what was shown is not what was sent"


def test_a_change_tells_what_it_would_remove(host: Client) -> None:
    box = a_mailbox()
    policy = policies.ensure("short", actor=ACTOR).row
    mailboxes.ensure(ANN, actor=ACTOR, policy=policy, policy_at_once=True)
    has(
        signed_in(box), *[a_message(box, octets=1024, arrived_at=timezone.now() - timedelta(days=50)) for _ in range(2)]
    )
    url = reverse("policies-edit", args=[policy.pk])
    page = host.post(url, filled(expire_days=40, start="at-once")).content.decode()
    said = " ".join(strip_tags(page).split())
    assert "2 messages leave 2 KB, from 1 mailbox, within 30 days. As it is now: 0." in said
    assert '<td>example.org</td><td class="n">2</td>' in page
    assert "Mail programs are told EXPIRE 40" in said
    assert "Nothing leaves" in host.post(url, filled(expire_days=40)).content.decode(), "from now on there are 40 days"
    shown_then_saved(host, url, filled(expire_days=40, start="at-once"))
    policy.refresh_from_db()
    assert (policy.expire_days, policy.expire_since) == (40, None)


def test_it_tells_what_stays_too(host: Client) -> None:
    box = a_mailbox()
    a_mailbox("held@example.org")
    policy = policies.ensure("short", actor=ACTOR).row
    for address in (ANN, "held@example.org"):
        mailboxes.ensure(address, actor=ACTOR, policy=policy, held=address != ANN)
    a_message(box, arrived_at=timezone.now() - timedelta(days=50))
    url = reverse("policies-edit", args=[policy.pk])
    page = host.post(url, filled(expire_days=5, start="at-once")).content.decode()
    assert "1 message that no device has stays." in page
    assert "1 mailbox on hold is not touched." in page
    page = host.post(url, filled(expire_days=5, start="at-once", expire_unfetched="True")).content.decode()
    assert "that no device has" not in page.partition("data-headline")[2]
    assert "1 message leaves" in page


def test_a_rule_that_is_off_keeps_its_number_out(host: Client) -> None:
    policy = policies.ensure("short", actor=ACTOR).row
    url = reverse("policies-one", args=[policy.pk])
    shown_then_saved(host, url, filled(ticks="shown", expire_days=30, expire_confirmed_days=9, expire_days_on="on"))
    policy.refresh_from_db()
    assert (policy.expire_days, policy.expire_confirmed_days) == (30, None)
    page = host.post(url, filled(ticks="shown", expire_confirmed_days_on="on")).content.decode()
    assert "Write a number of days, or clear the tick." in page
    assert 'name="save"' not in page


def test_a_script_gets_the_preview_alone(host: Client) -> None:
    page = host.post(reverse("policies-new"), filled(expire_days=30, part="yes")).content.decode()
    assert "<html" not in page
    assert previewed(page)
    assert 'name="save"' in page
    page = host.post(reverse("policies-new"), filled(expire_days=0, part="yes")).content.decode()
    assert "First correct this" in page
    assert 'name="save"' not in page


def a_late_rule(host: Client) -> RetentionPolicy:
    """A policy that is changed on the page; its first mail leaves in five days."""
    box = a_mailbox()
    policy = policies.ensure("short", actor=ACTOR, expire_days=60).row
    mailboxes.ensure(ANN, actor=ACTOR, policy=policy, policy_at_once=True)
    has(signed_in(box), a_message(box))
    form = filled(expire_days=5, name="shorter", start="now")
    url = reverse("policies-one", args=[policy.pk])
    page = host.post(url, form).content.decode()
    assert "Save, start on " in page
    host.post(url, {**form, "previewed": previewed(page), "save": "yes"}, follow=True)
    return policy


def test_a_change_is_undone_with_its_clocks_until_it_starts(host: Client) -> None:
    policy = a_late_rule(host)
    before = RetentionPolicy.objects.get(pk=policy.pk)
    assert (before.name, before.expire_days, before.expire_since is None) == ("shorter", 5, False)
    undo = reverse("policies-undo", args=[policy.pk])
    assert f'action="{undo}"' in host.get(reverse("policies-one", args=[policy.pk])).content.decode()
    assert "short is as it was before" in host.post(undo, follow=True).content.decode()
    after = RetentionPolicy.objects.get(pk=policy.pk)
    assert (after.name, after.expire_days, after.expire_since) == ("short", 60, policy.expire_since)
    assert AuditEntry.objects.filter(verb="policy.change").count() == 2
    assert "can no longer be undone" in host.post(undo, follow=True).content.decode()


def test_what_somebody_saved_since_is_not_undone(host: Client) -> None:
    policy = a_late_rule(host)
    policies.ensure("shorter", actor=ACTOR, expire_days=6)
    undo = reverse("policies-undo", args=[policy.pk])
    assert f'action="{undo}"' not in host.get(reverse("policies-one", args=[policy.pk])).content.decode()
    assert "can no longer be undone" in host.post(undo, follow=True).content.decode()
    assert RetentionPolicy.objects.get(pk=policy.pk).expire_days == 6


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({}, 30),
        ({"expire_days": 60}, 30),
        ({"expire_days": 20}, 20),
        ({"recovery_octets": "1GB"}, 7),
        ({"recovery_days": 3}, 3),
        ({"relief": "every"}, None),
        ({"diary_days": 5}, None),
    ],
)
def test_undo_is_offered_until_the_first_rule_acts_whatever_the_browser_sends(
    host: Client, monkeypatch: pytest.MonkeyPatch, fields: dict[str, object], days: int | None
) -> None:
    policy = policies.ensure("short", actor=ACTOR).row
    url, undo = reverse("policies-one", args=[policy.pk]), reverse("policies-undo", args=[policy.pk])
    form = filled(name="shorter", start="now", **fields)
    page = host.post(url, form).content.decode()
    assert ("You can undo it until" in page) is (days is not None)
    host.post(url, {**form, "previewed": previewed(page), "starts": "2099-01-01", "save": "yes"}, follow=True)
    answer = host.get(url)
    page, request = answer.content.decode(), answer.wsgi_request
    assert (f'action="{undo}"' in page) is (days is not None)
    assert ("The change removes nothing before" in page) is (days is not None)
    saved = RetentionPolicy.objects.get(pk=policy.pk).saved_at
    monkeypatch.setattr(timezone, "now", lambda: saved + timedelta(days=days or 0, seconds=1))
    policy.refresh_from_db()
    assert policy_undo.until(request, policy) is None
    if days is not None:
        monkeypatch.setattr(timezone, "now", lambda: saved + timedelta(days=days, seconds=-1))
        assert policy_undo.until(request, policy) is not None


def test_what_starts_at_once_has_no_undo(host: Client) -> None:
    policy = policies.ensure("short", actor=ACTOR).row
    url = reverse("policies-one", args=[policy.pk])
    shown_then_saved(host, url, filled(expire_days=30, start="at-once"))
    assert reverse("policies-undo", args=[policy.pk]) not in host.get(url).content.decode()


@pytest.mark.parametrize("of", ["example.org", ANN])
def test_a_policy_is_chosen_for_a_domain_or_a_mailbox(host: Client, of: str) -> None:
    box = a_mailbox()
    policy = policies.ensure("short", actor=ACTOR, expire_days=3).row
    shown_then_saved(host, reverse("policies-choice"), {"of": of, "policy": policy.pk, "start": "now"})
    box = Mailbox.objects.select_related("domain").get()
    assert ((box if "@" in of else box.domain).policy) == policy
    page = host.get(reverse("policies-one", args=[policy.pk])).content.decode()
    assert "It can be deleted once nobody has chosen it" in page


def test_one_that_is_followed_is_not_removed(host: Client) -> None:
    a_mailbox()
    policy = policies.ensure("short", actor=ACTOR).row
    mailboxes.ensure(ANN, actor=ACTOR, policy=policy)
    answer = host.post(reverse("policies-removal", args=[policy.pk]), follow=True)
    assert "still used by ann@example.org" in answer.content.decode()
    mailboxes.ensure(ANN, actor=ACTOR, policy=None)
    host.post(reverse("policies-removal", args=[policy.pk]))
    assert not RetentionPolicy.objects.exists()


def test_the_sites_policy_is_neither_removed_nor_unticked_by_the_pages(host: Client) -> None:
    policy = policies.ensure("short", actor=ACTOR, site=True).row
    one, removal = (reverse(name, args=[policy.pk]) for name in ("policies-one", "policies-removal"))
    page = host.get(one).content.decode()
    assert ("once another policy is the site policy" in page, removal in page) == (True, False)
    assert "make another policy the site policy first" in host.post(removal, follow=True).content.decode()
    page = host.post(reverse("policies-edit", args=[policy.pk]), filled()).content.decode()
    assert 'id="id_site_error"' in page
    assert 'name="save"' not in page


def test_a_removal_is_asked_first(host: Client) -> None:
    policy = policies.ensure("short", actor=ACTOR).row
    removal = reverse("policies-removal", args=[policy.pk])
    assert f'href="{removal}"' in host.get(reverse("policies-one", args=[policy.pk])).content.decode()
    assert "Delete short" in host.get(removal).content.decode()
    assert RetentionPolicy.objects.exists()


def test_a_value_that_cannot_be_is_told_beside_its_field(host: Client) -> None:
    page = host.post(reverse("policies-new"), filled(expire_days=0)).content.decode()
    assert 'id="id_expire_days_error"' in page
    assert 'previewed" value' not in page


def test_two_editors_are_told_of_each_other(host: Client) -> None:
    policy = policies.ensure("short", actor=ACTOR, expire_days=30).row
    url = reverse("policies-edit", args=[policy.pk])
    seen = re.search(r'name="seen" value="([^"]*)"', host.get(url).content.decode())
    assert seen
    policies.ensure("short", actor=ACTOR, expire_days=20)
    page = host.post(url, filled(expire_days=30, seen=seen[1].replace("&quot;", '"'))).content.decode()
    assert "Somebody has changed this while you had it open" in page


def test_a_domain_admin_reads_what_concerns_him_and_changes_no_policy(client: Client) -> None:
    box = a_mailbox()
    his = policies.ensure("his", actor=ACTOR).row
    other = policies.ensure("other", actor=ACTOR).row
    mailboxes.ensure(ANN, actor=ACTOR, policy=his)
    admin = User.objects.create(address="customer")
    DomainGrant.objects.create(user=admin, domain=box.domain)
    client.force_login(admin)
    page = client.get(reverse("policies")).content.decode()
    assert (">his<" in page, ">other<" in page) == (True, False)
    assert client.get(reverse("policies-one", args=[his.pk])).status_code == 200
    edit, one = reverse("policies-edit", args=[his.pk]), reverse("policies-one", args=[other.pk])
    for url in (edit, one, reverse("policies-new")):
        assert (url, client.get(url).status_code) == (url, 404)
    assert client.post(reverse("policies-undo", args=[his.pk])).status_code == 404
    assert client.post(reverse("policies-removal", args=[his.pk])).status_code == 404


@pytest.fixture
def customer(client: Client) -> Client:
    """Signed in as the admin of example.org, who owns nothing."""
    box = a_mailbox()
    admin = User.objects.create(address="customer")
    DomainGrant.objects.create(user=admin, domain=box.domain)
    client.force_login(admin)
    return client


def test_a_domain_admin_chooses_for_his_domain_among_what_is_offered(customer: Client) -> None:
    offered = policies.ensure("offered", actor=ACTOR, offered=True, expire_days=30).row
    policies.ensure("dear", actor=ACTOR)
    page = customer.get(reverse("policies-choice"), {"of": "example.org"}).content.decode()
    assert (">offered<" in page, ">dear<" in page) == (True, False)
    shown_then_saved(customer, reverse("policies-choice"), {"of": "example.org", "policy": offered.pk, "start": "now"})
    assert Mailbox.objects.get().domain.policy == offered


def test_he_chooses_nothing_for_the_domain_of_another(customer: Client) -> None:
    offered = policies.ensure("offered", actor=ACTOR, offered=True).row
    foreign = a_mailbox("eve@other.example")
    for of in ("other.example", "eve@other.example"):
        page = customer.post(reverse("policies-choice"), {"of": of, "policy": offered.pk, "start": "now"})
        assert "is neither a domain nor a mailbox" in page.content.decode()
    foreign.domain.refresh_from_db()
    assert foreign.domain.policy is None


def test_a_policy_that_is_not_offered_is_not_there_for_him_in_any_form_and_his_try_is_told(customer: Client) -> None:
    dear = policies.ensure("dear", actor=ACTOR).row
    box = Mailbox.objects.get()
    forms = [
        reverse("policies-choice"),
        reverse("mailboxes-new"),
        reverse("mailboxes-edit", args=[box.pk]),
        reverse("mailboxes-bulk", args=["policy"]),
    ]
    for path in forms:
        answer = customer.post(path, {"of": "example.org", "policy": dear.pk, "start": "now"})
        assert (path, answer.status_code) == (path, 404)
    entries = AuditEntry.objects.filter(verb="denied", subject="dear").order_by("pk")
    assert [entry.details["path"] for entry in entries] == forms


def test_nor_is_it_there_for_a_file_that_he_brings_in(customer: Client) -> None:
    policies.ensure("dear", actor=ACTOR)
    offered = policies.ensure("offered", actor=ACTOR, offered=True).row
    lines = ["address,policy", "bob@example.org,dear", "chloe@example.org,shoe", f"{ANN},offered"]
    page = upload_and_check(customer, "\n".join(lines).encode())
    customer.post(f"{page}start/")
    run_steps(customer, page)
    dear, shoe, ann = MailboxImportRow.objects.order_by("line")
    assert (dear.fate, shoe.fate, ann.fate) == ("wrong", "wrong", "change")
    assert dear.detail.replace("dear", "shoe") == shoe.detail, "as one that nobody has"
    assert Mailbox.objects.get().policy == offered


@pytest.mark.parametrize("page", ["policies-edit", "policies-removal"])
def test_only_hosting_admins_change_a_policy_and_a_try_is_told(customer: Client, page: str) -> None:
    policy = policies.ensure("dear", actor=ACTOR).row
    assert customer.post(reverse(page, args=[policy.pk])).status_code == 404
    assert AuditEntry.objects.get(verb="denied").subject == "dear"


def test_an_owner_has_no_such_pages(client: Client) -> None:
    client.force_login(a_mailbox().user)
    assert client.get(reverse("policies")).status_code == 404


def test_the_choice_for_a_full_mailbox_says_which_policies_make_room_and_how_much(host: Client) -> None:
    box = a_mailbox()
    url = reverse("policies-choice")
    assert "Make room in" not in host.get(url, {"of": ANN}).content.decode(), "it has room"
    messages = [a_message(box, octets=1000) for _number in range(4)]
    has(signed_in(box), *messages[:3])
    Mailbox.objects.update(quota_octets=3000)
    seen = " ".join(host.get(url, {"of": ANN}).content.decode().split())
    assert "No policy that you can choose makes room in a full mailbox." in seen
    assert f'href="{reverse("policies-new")}"' in seen
    policies.ensure("keeps", actor=ACTOR)
    roomy = policies.ensure("roomy", actor=ACTOR, relief="every").row
    answer = host.get(url, {"of": ANN})
    (way,) = answer.context["room"].ways
    assert (way.policy, way.frees.messages, way.frees.octets, way.followed) == (roomy, 2, 2000, False)
    assert f'name="policy" value="{roomy.pk}"' in answer.content.decode()
    shown_then_saved(host, f"{url}?of={ANN}&policy=", {"of": ANN, "policy": roomy.pk, "start": "now"})
    assert host.get(url, {"of": ANN}).context["room"].ways[0].followed
    Mailbox.objects.update(held=True)
    assert host.get(url, {"of": ANN}).context["room"] is None, "a hold keeps all"


def test_the_choice_for_a_nearly_full_mailbox_counts_nothing_yet(host: Client) -> None:
    box = a_mailbox()
    a_message(box, octets=970)
    Mailbox.objects.update(quota_octets=1000)
    policies.ensure("roomy", actor=ACTOR, relief="every")
    answer = host.get(reverse("policies-choice"), {"of": ANN})
    assert "Frees once the mailbox is full" in answer.content.decode()
    assert answer.context["room"].ways[0].frees is None


def test_policies_are_searched_and_shown_by_their_use(host: Client) -> None:
    for name in ("Brief", "Archive", "Site"):
        policies.make(name, actor=ACTOR, expire_days=3)
    RetentionPolicy.objects.filter(name="Site").update(site=True)
    RetentionPolicy.objects.filter(name="Archive").update(offered=True)
    mailboxes.ensure(a_mailbox().user.address, actor=ACTOR, policy=RetentionPolicy.objects.get(name="Brief"))

    def found(query: str) -> list[str]:
        return [row.name for row in host.get(reverse("policies") + query).context["page"].rows]

    assert found("") == ["Archive", "Brief", "Site"]
    assert found("?q=ARCH") == ["Archive"]
    assert [found(f"?use={use}") for use in ("used", "unused", "offered")] == [
        ["Brief", "Site"], ["Archive"], ["Archive"],
    ]  # fmt: skip
    assert host.get(f"{reverse('policies')}?export=csv").getvalue().decode("utf-8-sig").startswith("Policy,Rules,")
