"""The first tab of a mailbox: its state line, what reaches it, and where its mail goes on."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import aliases, domains, grants, mailboxes
from mailstore.models import Alias, Device, Domain, Finding, Mailbox
from popadmin.panel.mailbox_flow import STOPS_MOST, Stop
from tests.owner.mail import a_device, a_session
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_message

pytestmark = pytest.mark.django_db
MB = 2**20


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def page(client: Client, mailbox: Mailbox, tab: str = "") -> Any:
    return client.get(f"/mailboxes/{mailbox.pk}/{tab}")


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode()).replace("\xa0", " ")


def named(stops: Iterable[Stop]) -> dict[str, str]:
    return {stop.words or f"{stop.local}@{stop.domain}": str(stop.note) for stop in stops}


def before(client: Client, mailbox: Mailbox) -> dict[str, str]:
    return named(page(client, mailbox).context["flow"].before)


def after(client: Client, mailbox: Mailbox) -> dict[str, str]:
    return named(page(client, mailbox).context["flow"].after)


def test_every_way_to_a_mailbox_is_told_with_its_kind(root: Client) -> None:
    ann = an_owner()
    domains.ensure("alt.example", actor=ACTOR, stands_for=Domain.objects.get(name="example.org"))
    aliases.ensure("info@example.org", [ANN], actor=ACTOR)
    aliases.ensure("team@example.org", [ANN, "bob@elsewhere.example"], actor=ACTOR)
    aliases.ensure("all@example.org", ["team@example.org"], actor=ACTOR)
    an_owner("bob@example.org")
    aliases.ensure("bob@example.org", [ANN], actor=ACTOR, keep_copy=True)
    aliases.set_catch_all("example.org", [ANN], actor=ACTOR)
    assert before(root, ann) == {
        ANN: "its own address",
        "bob@example.org": "forwards here, a copy stays there",
        "info@example.org": "alias",
        "team@example.org": "alias of 2 addresses",
        "all@example.org": "alias, through team@example.org",
        "the same names at alt.example": "alias domain",
        "any other address": "catch-all of example.org",
    }


def test_domains_in_another_script_read_as_they_were_written(root: Client) -> None:
    a_domain("bücher.example")
    mailbox = mailboxes.ensure("ann@bücher.example", actor=ACTOR, password=PASSWORD).row
    domains.ensure("éé.example", actor=ACTOR, stands_for=mailbox.domain)
    aliases.ensure("info@bücher.example", ["ann@bücher.example"], actor=ACTOR)
    aliases.ensure("@bücher.example", ["info@bücher.example"], actor=ACTOR)
    assert before(root, mailbox) == {
        "ann@bücher.example": "its own address",
        "info@bücher.example": "alias",
        "the same names at éé.example": "alias domain",
        "any other address": "catch-all of bücher.example",
    }
    assert [str(crumb.label) for crumb in page(root, mailbox).context["breadcrumbs"]][-1] == "bücher.example"


def test_a_domain_admin_sees_no_alias_of_another_customer() -> None:
    ann = an_owner()
    a_domain("other.example")
    aliases.ensure("theirs@other.example", [ANN], actor=ACTOR)
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    carla = signed_in("carla")
    assert before(carla, ann) == {ANN: "its own address"}
    assert "other.example" not in text(page(carla, ann))


def test_where_mail_goes_on_is_told_devices_and_forwards(root: Client) -> None:
    ann = an_owner()
    assert after(root, ann) == {"No device yet": "nobody has fetched mail yet"}
    phone = a_device(ann, "Phone", last_sign_in_at=timezone.now())
    a_session(phone, ago=timedelta(minutes=5), fetched_messages=2)
    aliases.ensure(ANN, ["away@elsewhere.example"], actor=ACTOR, keep_copy=False)
    found = after(root, ann)
    assert list(found) == ["1 device by POP", "away@elsewhere.example"]
    assert "by “Phone”" in found["1 device by POP"]
    assert found["away@elsewhere.example"] == "forward, no copy is kept here"
    assert before(root, ann)[ANN] == "its own address, forwarded only"
    mailboxes.ensure(ANN, actor=ACTOR, pop=False)
    assert after(root, ann)["No device"] == "POP is off"


def test_many_aliases_are_counted_and_each_stop_has_its_wire(root: Client, django_assert_max_num_queries: Any) -> None:
    ann = an_owner()
    Alias.objects.bulk_create(
        Alias(address=f"a{n:02}@example.org", domain_id=ann.domain_id, targets=[ANN]) for n in range(20)
    )
    page(root, ann)
    with django_assert_max_num_queries(12):
        answer = page(root, ann)
    flow = answer.context["flow"]
    assert len(flow.before) == STOPS_MOST == len(flow.wires_before)
    assert flow.before[-1].words == "and 14 more"
    assert flow.before[-1].url == "/aliases/?q=ann%40example.org"
    assert answer.content.decode().count("<path d=") >= STOPS_MOST + 1


@pytest.mark.parametrize(
    ("over_quota", "follows"), [("defer", "New mail is deferred (452)"), ("reject", "New mail is rejected (552)")]
)
def test_a_full_mailbox_says_what_follows_since_when_and_what_helps(
    root: Client, over_quota: str, follows: str
) -> None:
    ann = an_owner(quota_octets=MB)
    domains.ensure("example.org", actor=ACTOR, over_quota=over_quota)
    a_message(ann, octets=2 * MB)
    seen = text(page(root, ann))
    assert "Refusing new mail: full" in seen
    assert "2 MB of 1 MB" in seen
    assert follows in seen
    assert "Full since" not in seen, "the sweep has not noticed it yet"
    Mailbox.objects.update(warned_percent=100, warned_at=timezone.now())
    seen = text(page(root, ann))
    assert "or shortly before." in seen
    assert f'href="/mailboxes/{ann.pk}/edit/#id_quota_octets">Raise quota…' in seen
    assert 'href="/policies/choice/?of=ann%40example.org&policy=">Make room…' in seen


def test_only_remedies_that_the_reader_has_are_offered() -> None:
    ann = an_owner(quota_octets=MB, held=True)
    domains.ensure("example.org", actor=ACTOR, mailbox_quota_most=MB)
    a_message(ann, octets=MB)
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    seen = text(page(signed_in("carla"), ann))
    assert "Refusing new mail: full" in seen
    assert "Raise quota…" not in seen, "the domain's cap is reached"
    assert "Make room…" not in seen, "the hold keeps all mail"
    assert "On hold" in seen


@pytest.mark.parametrize(
    ("fields", "lead", "follows"),
    [
        ({"suspended": True}, "Suspended", "New mail still arrives. Stored mail stays."),
        ({"receives": False}, "Receives nothing", "New mail is refused; stored mail stays."),
        ({"pop": False}, "POP is off", "No mail program can fetch mail."),
        ({}, "Ready to receive, no message yet", "0 stored, no limit."),
    ],
)
def test_other_states_say_what_follows_too(root: Client, fields: dict[str, bool], lead: str, follows: str) -> None:
    ann = an_owner(**fields)
    seen = text(page(root, ann))
    assert lead in seen
    assert follows in seen


def test_a_mailbox_of_a_suspended_domain_leads_to_the_domain(root: Client) -> None:
    ann = an_owner()
    domains.ensure("example.org", actor=ACTOR, active=False)
    seen = text(page(root, ann))
    assert "Suspended with its domain" in seen
    assert f'href="/domains/{ann.domain_id}/">Open the domain' in seen


def test_nearly_full_is_amber_and_all_is_well_is_grey(root: Client) -> None:
    ann = an_owner(quota_octets=100 * MB)
    a_message(ann, octets=62 * MB)
    seen = text(page(root, ann))
    assert 'class="line line-note"' in seen
    assert "62 % of 100 MB used." in seen
    a_message(ann, octets=30 * MB)
    assert 'class="line line-warn"' in text(page(root, ann))


def test_the_devices_say_what_they_see_what_waits_and_what_is_wrong(root: Client) -> None:
    ann = an_owner()
    first = a_message(ann)
    a_message(ann)
    phone = a_device(
        ann,
        "Phone",
        last_sign_in_at=timezone.now(),
        last_client="192.0.2.7",
        confirmed=f"{{[{first.added},{first.added + 1})}}",
    )
    Finding.objects.create(mailbox=ann, device=phone, kind="hasty", since=timezone.now(), facts={"sessions": 360})
    answer = page(root, ann, "devices/")
    assert [(use.device.name, use.visible, use.waiting) for use in answer.context["devices"]] == [
        ("main", 2, None),
        ("Phone", 2, 1),
    ]
    assert "192.0.2.7" in text(answer)
    assert "“Phone” checks for mail every 10 seconds" in text(answer)


def test_the_tabs_are_pages_and_each_names_itself(root: Client) -> None:
    ann = an_owner()
    for tab, label in (("", "Mail flow"), ("devices/", "Devices"), ("diary/", "Timeline"), ("recovery/", "Recovery")):
        seen = text(page(root, ann, tab))
        assert f'href="/mailboxes/{ann.pk}/{tab}" aria-current="page">{label}' in seen


def test_the_rail_says_by_whom_it_was_made_and_links_to_domain_policy_and_audit(root: Client) -> None:
    ann = an_owner()
    seen = text(page(root, ann))
    assert "by tester" in seen
    assert f'href="/domains/{ann.domain_id}/"' in seen
    assert 'href="/audit/?q=ann%40example.org"' in seen


def test_what_was_created_names_all_that_a_mail_program_asks(root: Client, settings: Any) -> None:
    a_domain()
    settings.PUBLIC_HOSTNAME, settings.PUBLIC_POP3S_PORT, settings.PUBLIC_POP3_PORT = "mail.example.test", 995, None
    seen = text(root.post("/mailboxes/new/", {"address": ANN, "pop": "on"}))
    for value in ("mail.example.test", "<code>995</code> SSL/TLS", "http://testserver/", ANN):
        assert value in seen
    assert "in person or by phone, not by e-mail" in seen
    assert Device.objects.filter(main=True).count() == 1
