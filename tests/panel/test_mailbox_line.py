"""The state line of a mailbox says of new mail what a delivery does, and who can help where the domain is full."""

from __future__ import annotations

import html
import re
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from mailstore.directory import domains, grants, mailboxes
from mailstore.models import Domain, Mailbox
from mailstore.pg.statement import Statement
from mailstore.sql.statements.delivery import RECIPIENTS, ROOM
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_message
from tests.site.traces import an_answer

pytestmark = pytest.mark.django_db
ARRIVES, REFUSED, DEFERRED = "arrives", "New mail is refused", "New mail is deferred (452)"


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def rows_of(of: Statement, *values: Any) -> list[tuple[Any, ...]]:
    named = dict(zip(of.names, values, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(re.sub(r"\$(\d)", lambda place: f"%({of.names[int(place[1]) - 1]})s", of.sql), named)
        return cursor.fetchall()


def delivery() -> str:
    """Return what RCPT answers for Ann, by the statements of the delivery."""
    ((_address, _key, receives, fits, over_quota, capped, *_alias),) = rows_of(RECIPIENTS, [ANN], 1)
    assert over_quota == "defer"
    if not receives:
        return REFUSED
    return DEFERRED if not fits or (capped and rows_of(ROOM, [capped], 1)) else ARRIVES


@pytest.mark.parametrize(
    ("user_active", "domain_active", "receives", "full"),
    list(product((True, False), (True, False), (True, False), ("", "mailbox", "domain", "near"))),
)
def test_the_line_says_what_a_delivery_does(
    root: Client, user_active: bool, domain_active: bool, receives: bool, full: str
) -> None:
    ann = an_owner()
    a_message(ann, octets=95)
    quota = {"mailbox": 95, "near": 100}.get(full)
    mailboxes.ensure(ANN, actor=ACTOR, suspended=not user_active, receives=receives)
    ann.refresh_from_db()
    ann.quota_octets = quota
    ann.save()
    Domain.objects.update(active=domain_active, quota_octets=95 if full == "domain" else None)
    line = root.get(f"/mailboxes/{ann.pk}/").context["line"]
    said = [words for words in (REFUSED, DEFERRED) if words in str(line.text)]
    does = delivery()
    assert said == ([] if does == ARRIVES else [does])
    assert ("New mail still arrives." in str(line.text)) is (does == ARRIVES and not user_active and full != "near")
    assert line.lead.startswith("Refusing") is (full in ("mailbox", "domain"))


def test_a_suspended_mailbox_in_a_suspended_domain_names_the_domain_first(root: Client) -> None:
    ann = an_owner(suspended=True)
    domains.ensure("example.org", actor=ACTOR, active=False)
    line = root.get(f"/mailboxes/{ann.pk}/").context["line"]
    assert line.lead == "Suspended with its domain"
    assert [state.name for state in line.others] == ["suspended"]


def test_a_full_domain_is_told_everywhere_with_a_remedy_for_who_has_one(root: Client) -> None:
    ann = an_owner()
    a_message(ann, octets=100)
    Domain.objects.update(quota_octets=100)
    line = root.get(f"/mailboxes/{ann.pk}/").context["line"]
    assert line.lead == "Refusing new mail: the domain is full"
    assert [remedy.url for remedy in line.remedies] == [f"/domains/{ann.domain_id}/edit/#id_quota_octets"]
    for url in ("/mailboxes/", f"/domains/{ann.domain_id}/"):
        assert "Refusing: domain full" in html.unescape(root.get(url).content.decode())
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    line = signed_in("carla").get(f"/mailboxes/{ann.pk}/").context["line"]
    assert [remedy.url for remedy in line.remedies] == [f"/domains/{ann.domain_id}/"]
    assert signed_in(ANN).get("/mailbox/").context["verdict"] == (
        "New mail is refused: the space of your domain is used up."
    )


def test_a_full_mailbox_says_how_many_messages_were_deferred_and_shows_them(root: Client) -> None:
    ann = an_owner(quota_octets=95)
    a_message(ann, octets=100)
    for number in range(3):
        an_answer("deferred", "full", mailbox=ann, pair=number)
        an_answer("deferred", "full", mailbox=ann, pair=number)
    line = root.get(f"/mailboxes/{ann.pk}/").context["line"]
    assert "3 messages were deferred in the last 7 days." in line.text
    Mailbox.objects.update(warned_at=timezone.now(), warned_percent=100)
    line = root.get(f"/mailboxes/{ann.pk}/").context["line"]
    assert "3 messages were deferred since." in line.text
    show = line.remedies[-1]
    assert show.label == "Show the 3"
    assert len(root.get(show.url).context["page"].rows) == 6


def test_the_timeline_has_what_was_not_delivered_with_a_way_into_the_trace(root: Client) -> None:
    ann = an_owner()
    for _try in range(2):
        an_answer("refused", "closed", mailbox=ann)
    page = html.unescape(root.get(f"/mailboxes/{ann.pk}/diary/?kind=deliveries").content.decode())
    assert "Refused: the mailbox receives nothing, 2 times" in page
    assert f'href="/trace/?mailbox={ANN.replace("@", "%40")}&answer=refused"' in page
