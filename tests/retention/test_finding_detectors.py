"""The detectors find mail programs that are set up wrongly, and none that is set up well."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from mailstore.directory import devices, mailbox_removal, mailboxes
from mailstore.messages import recovery
from mailstore.models import Device, Finding, KnownNetwork, Mailbox, RefusedName, RetentionPolicy, SendingBudget
from mailstore.retention import finding_detectors
from tests.owner.mail import a_device, a_session
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"
Kind = Finding.Kind


@pytest.fixture
def box() -> Mailbox:
    return a_mailbox()


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def again(box):
    device = a_device(box, "PC")
    for ago in range(4):
        a_session(device, ago=hours(ago + 0.5), fetched="{[1,6)}", fetched_messages=5)


def shared(box):
    device = a_device(box, "PC")
    for ago in range(6):
        for client in ("192.0.2.1", "198.51.100.1"):
            a_session(device, ago=hours(ago), client=client)


def hasty(box):
    a_session(a_device(box, "PC"), ago=hours(1), sessions=360)


def keeps(box):
    Mailbox.objects.update(quota_octets=1000, octets=900)
    a_session(a_device(box, "PC"), ago=hours(100), fetched_messages=5, fetched="{[1,6)}")


def unended(box):
    a_session(a_device(box, "PC"), ago=hours(1), sessions=12, ended="lost")


def undone(box):
    device = a_device(box, "PC")
    for ago in range(4):
        a_session(
            device, ago=hours(ago + 0.5), fetched="{[1,6)}", fetched_messages=5, unremoved_messages=5, ended="lost"
        )


def stops_at(device, message, *, sessions=4, every_hours=10, alone=False, **fields):
    """Fetches the mail up to this message, or this one alone, and hangs up."""
    first = message.added if alone else 1
    values = {"fetched_messages": message.added + 1 - first, "listed": message.added + 5, "ended": "lost", **fields}
    for number in range(sessions):
        a_session(device, ago=hours(number * every_hours + 1), fetched=f"{{[{first},{message.added + 1})}}", **values)


def previous(box):
    a_session(None, mailbox=box, ago=hours(1), sessions=3, ended="previous", client="192.0.2.7")


def bare(box, name="ann", network="192.0.2.0/24", **fields):
    now = timezone.now()
    RefusedName.objects.create(
        **{"reason": "unknown", "name": name, "network": network, "protocol": "pop3", "tries": 40, **fields},
        first_at=now - hours(3), last_at=now - hours(1),
    )  # fmt: skip


def limited(box):
    now = timezone.now()
    SendingBudget.objects.create(mailbox=box, at=now, refused=7, refused_at=now - hours(1), by_domain=True)
    SendingBudget.objects.create(domain=box.domain, at=now, refused=7, refused_at=now - hours(1), by_domain=True)


FOUND = {
    Kind.AGAIN: (again, {"fetched": 20, "messages": 5}),
    Kind.SHARED: (shared, {"hours": 6, "networks": 2}),
    Kind.HASTY: (hasty, {"sessions": 360}),
    Kind.KEEPS: (keeps, {"percent": 90, "fetched": 5}),
    Kind.UNENDED: (unended, {"sessions": 12}),
    Kind.UNDONE: (undone, {"sessions": 4}),
    Kind.PREVIOUS: (previous, {"times": 3, "client": "192.0.2.7"}),
    Kind.LIMIT: (limited, {"times": 7, "by_domain": True}),
    Kind.BARE: (bare, {"name": "ann", "address": ANN, "times": 40, "network": "192.0.2.0/24"}),
}


@pytest.mark.parametrize("kind", FOUND, ids=[kind.value for kind in FOUND])
def test_each_kind_is_found_with_its_figures_and_nothing_else_is(box, kind):
    act, facts = FOUND[kind]
    act(box)
    now = timezone.now()
    assert finding_detectors.count(now) == 1
    assert not Finding.objects.exists()
    assert finding_detectors.detect(now) == 1
    found = Finding.objects.get()
    assert (found.kind, found.mailbox, found.facts, found.since) == (kind, box, facts, now)
    assert (found.device is None) is (kind in (Kind.PREVIOUS, Kind.BARE, Kind.LIMIT))


@pytest.mark.parametrize("alone", [False, True], ids=["fetches all again", "knows what it has"])
@pytest.mark.parametrize("fields", [{}, {"ended": "idle"}, {"unremoved_messages": 2}], ids=str)
def test_the_message_at_which_a_program_stops_is_named_and_nothing_else_is_said(box, alone, fields):
    a_message(box)
    message = a_message(box, octets=5000)
    stops_at(a_device(box, "PC"), message, sessions=12, every_hours=3, alone=alone, **fields)
    assert finding_detectors.count(timezone.now()) == 1
    assert finding_detectors.detect(timezone.now()) == 1
    found = Finding.objects.get()
    assert found.kind == Kind.STOPPED
    arrived_at = datetime.fromisoformat(found.facts.pop("arrived_at"))
    assert arrived_at == message.arrived_at
    assert found.facts == {"sessions": 12, "message": message.pk, "octets": 5000, "line_octets": None}


def goes_on(device, message):
    a_session(device, ago=hours(0.1), fetched=f"{{[1,{message.added + 3})}}", fetched_messages=message.added + 2)


def ends_well(device, message):
    a_session(device, ago=hours(0.1), fetched=f"{{[1,{message.added + 1})}}", fetched_messages=message.added)


def leaves_the_mailbox(device, message):
    recovery.remove(ANN, [message.pk], actor=ACTOR)


@pytest.mark.parametrize("change", [goes_on, ends_well, leaves_the_mailbox])
def test_a_program_that_gets_past_its_message_is_stopped_no_more(box, change):
    message, device = a_message(box), a_device(box, "PC")
    stops_at(device, message)
    assert finding_detectors.detect(timezone.now()) == 1
    change(device, message)
    finding_detectors.detect(timezone.now())
    assert not Finding.objects.filter(kind=Kind.STOPPED).exists()


@pytest.mark.parametrize("how", [{"sessions": 2, "every_hours": 30}, {"every_hours": 1}, {"listed": 1}], ids=str)
def test_a_program_that_was_cut_off_for_an_afternoon_or_has_all_its_mail_is_not_stopped(box, how):
    stops_at(a_device(box, "PC"), a_message(box), **how)
    assert finding_detectors.detect(timezone.now()) == 0


def test_a_program_that_hangs_up_before_its_deletions_count_has_not_lost_track_of_its_mail(box):
    undone(box)
    Device.objects.filter(name="PC").update(selector="another")
    again(a_mailbox("bob@example.org"))
    finding_detectors.detect(timezone.now())
    assert dict(Finding.objects.values_list("mailbox__user__address", "kind")) == {
        ANN: Kind.UNDONE,
        "bob@example.org": Kind.AGAIN,
    }


def test_a_finding_keeps_its_first_day_and_goes_when_it_is_so_no_more(box):
    hasty(box)
    first = timezone.now()
    finding_detectors.detect(first)
    finding_detectors.detect(first + hours(1))
    assert Finding.objects.get().since == first
    assert finding_detectors.detect(first + timedelta(days=3)) == 0
    assert not Finding.objects.exists()


def test_a_program_that_is_set_up_well_is_never_found(box):
    Mailbox.objects.update(quota_octets=1000, octets=900)
    pc, phone = a_device(box, "PC"), a_device(box, "Phone")
    for ago in range(48):
        a_session(pc, ago=hours(ago), sessions=60, client="192.0.2.1")
        a_session(pc, ago=hours(ago + 0.5), client="192.0.2.1", fetched=f"{{[{ago},{ago + 2})}}", fetched_messages=2)
        a_session(pc, ago=hours(ago + 0.6), client="192.0.2.1", deleted="{[1,2)}", removed_messages=1)
        a_session(phone, ago=hours(ago), client="192.0.2.1" if ago % 12 else "2001:db8::1", ended="lost")
        a_session(phone, ago=hours(ago + 0.5), client="2001:db8::1", ended="quit", removed_messages=1)
    assert finding_detectors.detect(timezone.now()) == 0


def test_a_mailbox_that_fills_by_its_number_of_messages_is_found_too(box):
    keeps(box)
    Mailbox.objects.update(quota_octets=10**9, octets=1, quota_messages=100, messages=90)
    finding_detectors.detect(timezone.now())
    assert Finding.objects.get(kind=Finding.Kind.KEEPS).facts["percent"] == 90


def test_where_a_rule_takes_mail_away_nobody_need_delete(box):
    RetentionPolicy.objects.create(name="site", site=True, expire_days=30)
    keeps(box)
    assert finding_detectors.detect(timezone.now()) == 0


def test_what_is_revoked_is_found_no_more(box):
    hasty(box)
    finding_detectors.detect(timezone.now())
    devices.revoke(ANN, "PC", actor=ACTOR)
    assert finding_detectors.count(timezone.now()) == 0
    assert finding_detectors.detect(timezone.now()) == 0
    assert not Finding.objects.exists()


def test_findings_go_with_their_mailbox(box):
    hasty(box)
    previous(box)
    finding_detectors.detect(timezone.now())
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now(ANN, actor=ACTOR)
    assert not Finding.objects.exists()
    assert finding_detectors.detect(timezone.now()) == 0
    mailboxes.ensure(ANN, actor=ACTOR)


def test_a_bare_name_that_mailboxes_share_is_told_where_the_owner_signs_in(box):
    other = a_mailbox("ann@example.net")
    bare(box)
    assert finding_detectors.detect(timezone.now()) == 0
    KnownNetwork.objects.create(user=other.user, network="198.51.100.0/24", seen_at=timezone.now())
    assert finding_detectors.detect(timezone.now()) == 0
    KnownNetwork.objects.create(user=other.user, network="192.0.2.0/24", seen_at=timezone.now())
    assert finding_detectors.detect(timezone.now()) == 1
    assert Finding.objects.get().mailbox == other


def test_neither_a_whole_address_nor_the_pages_nor_a_limit_is_a_program_with_a_bare_name(box):
    bare(box, ANN)
    bare(box, protocol="web")
    bare(box, reason="account")
    bare(box, "bob")
    bare(box, "")
    assert finding_detectors.detect(timezone.now()) == 0


def test_sign_ins_to_send_are_no_sessions_of_pop(box):
    device = a_device(box, "PC")
    a_session(device, ago=hours(1), sessions=1000, ended="sent", listed=0)
    assert finding_detectors.count(timezone.now()) == 0
