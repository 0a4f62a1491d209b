"""The page Trace: who sees which answers, how they are found, what they say, and what helps."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from mailstore.directory import aliases, grants
from mailstore.models import Alias, AuditEntry, EarlierStay, Mailbox, Message, TraceEntry, User
from popadmin.lists.trace_list import TraceFilters
from popadmin.panel import access
from popadmin.web.trace_life import LIVES_SHOWN
from tests.owner.mail import a_device, a_session
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_message
from tests.site.traces import SENDER, an_answer

pytestmark = pytest.mark.django_db
STATEMENTS_MOST = 12


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


@pytest.fixture
def carla() -> Client:
    """She administers example.org."""
    an_owner()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    return signed_in("carla")


def plain(answer: Any) -> str:
    page = html.unescape(answer.content.decode()).replace("\xa0", " ")
    return " ".join(re.sub(r"<[^>]*>", "", page[page.index("<main") :]).split())


def text(client: Client, query: str = "", path: str = "/trace/") -> str:
    return plain(client.get(f"{path}{query}"))


def rows(client: Client, query: str = "", path: str = "/trace/") -> list[str]:
    """Return the words of the answers that are listed."""
    return [row.told.text.replace("\xa0", " ") for row in client.get(f"{path}{query}").context["page"].rows]


# --- who sees what --------------------------------------------------------------------------------------------------


def test_a_hosting_admin_sees_all_and_a_domain_admin_their_own_domains(root: Client, carla: Client) -> None:
    ann, eve = Mailbox.objects.get(user__address=ANN), an_owner("eve@other.example")
    an_answer(mailbox=ann)
    an_answer("refused", "unknown", recipient="nobody@example.org", domain=ann.domain)
    other = an_answer("refused", "closed", mailbox=eve)
    nowhere = an_answer("refused", "no-domain", recipient="x@nowhere.example")
    assert len(rows(root)) == 4
    assert rows(carla) == ["Refused: no such mailbox", "Delivered"]
    for entry in (other, nowhere):
        assert root.get(f"/trace/?id={entry.pk}").status_code == 200
        assert carla.get(f"/trace/?id={entry.pk}").status_code == 404
    assert carla.get("/trace/?mailbox=eve@other.example").status_code == 404


def test_one_delivery_is_one_line_for_each_who_may_see_it(root: Client, carla: Client) -> None:
    ann, eve = Mailbox.objects.get(user__address=ANN), an_owner("eve@other.example")
    an_answer(mailbox=eve, recipient="all@other.example", queue_id="q1", mailbox_count=2)
    an_answer(mailbox=ann, recipient="all@other.example", queue_id="q1", mailbox_count=2, copy=True)
    assert rows(root) == rows(carla) == rows(signed_in(ANN), path="/mailbox/trace/") == ["Delivered to 2 mailboxes"]
    assert rows(root, f"?mailbox={ANN}") == ["Delivered to 2 mailboxes"]


def test_an_owner_sees_what_concerned_their_mailbox_and_a_sentence_about_it() -> None:
    ann, eve = an_owner(), an_owner("eve@other.example")
    owner = signed_in(ANN)
    assert owner.get("/trace/").url == "/mailbox/trace/"
    assert "No answer yet" in text(owner, path="/mailbox/trace/")
    for number in range(3):
        for _try in range(2):
            an_answer("deferred", "full", mailbox=ann, pair=number)
    foreign = an_answer(mailbox=eve)
    shown = text(owner, path="/mailbox/trace/")
    assert f"3 messages were deferred since {timezone.localtime():%A}" in shown
    assert "because your mailbox was full" in shown
    assert len(rows(owner, path="/mailbox/trace/")) == 6
    assert owner.get(f"/mailbox/trace/?id={foreign.pk}").status_code == 404


# --- how it is found ------------------------------------------------------------------------------------------------


def test_it_is_searched_by_parts_of_addresses_by_day_and_by_answer(root: Client) -> None:
    ann = an_owner()
    an_answer(mailbox=ann, sender="Hélène@Müller.example")
    an_answer("refused", "unknown", recipient="acceuil@example.org", domain=ann.domain, ago=timedelta(days=3))
    an_answer("deferred", "full", mailbox=ann, ago=timedelta(days=10))
    day = timezone.localdate() - timedelta(days=3)
    assert rows(root, "?q=helene@MULLER") == ["Delivered"]
    assert rows(root, "?recipient=cceuil") == rows(root, "?answer=refused") == ["Refused: no such mailbox"]
    assert rows(root, f"?since={day}&until={day}") == ["Refused: no such mailbox"]
    assert rows(root, f"?sender=notaires&until={day}&answer=deferred") == ["Deferred: mailbox full"]
    assert "Nothing matches" in text(root, "?recipient=xyz")
    for short in ("xy", "xy+z+a"):
        assert "at least 3 characters" in text(root, f"?recipient={short}")
    chips = {str(chip.label): (chip.count, chip.query) for chip in root.get("/trace/?q=notaires").context["chips"]}
    assert chips["Deferred"] == ("1", "?q=notaires&answer=deferred")
    assert chips["All answers"][0] == "2"


@pytest.mark.parametrize("number", [3, 60])
def test_a_page_costs_the_same_statements_however_long(
    root: Client, django_assert_max_num_queries: Any, number: int
) -> None:
    ann = an_owner()
    for place in range(number):
        an_answer("deferred", "full", mailbox=ann, pair=place)
        last = an_answer("refused", "unknown", recipient=f"nam{place}@example.org", domain=ann.domain)
    with django_assert_max_num_queries(STATEMENTS_MOST):
        assert root.get("/trace/?q=example").status_code == 200
    with django_assert_max_num_queries(STATEMENTS_MOST + 3):
        assert root.get(f"/trace/?id={last.pk}").status_code == 200


@pytest.mark.parametrize("number", [1, 4, 40])
def test_a_drawer_costs_the_same_statements_in_however_many_mailboxes(
    root: Client, carla: Client, django_assert_max_num_queries: Any, number: int
) -> None:
    values = {"recipient": "all@example.org", "queue_id": "q1", "mailbox_count": number, "mta_id": "4XyzA1B2"}
    boxes = [Mailbox.objects.get(user__address=ANN), *(an_owner(f"n{place}@example.org") for place in range(1, number))]
    messages = [a_message(box, removed_at=timezone.now() if place % 2 else None) for place, box in enumerate(boxes)]
    for message in messages:
        stay = {"removed_at": timezone.now(), "removed_why": "dele", "restored_at": timezone.now()}
        EarlierStay.objects.create(mailbox=message.mailbox, message=message, uidl="old", added=-2, removed=-1, **stay)
    for source, hours in (("mta", 3), ("lmtp", 2)):
        before = {"recipient": "all@example.org", "mta_id": "4XyzA1B2", "ago": timedelta(hours=hours)}
        an_answer("deferred", "full", mailbox=boxes[0], source=source, **before)
    first, *_, last = [
        an_answer(mailbox=box, uidl=message.uidl, copy=place > 0, **values)
        for place, (box, message) in enumerate(zip(boxes, messages, strict=True))
    ] * 2
    for client, path, entry, shown in (
        (root, "/trace/", first, min(number, LIVES_SHOWN)),
        (root, "/trace/", last, min(number, LIVES_SHOWN)),
        (carla, "/trace/", first, min(number, LIVES_SHOWN)),
        (signed_in(ANN), "/mailbox/trace/", first, 1),
    ):
        with django_assert_max_num_queries(STATEMENTS_MOST):
            drawer = client.get(f"{path}?id={entry.pk}")
        lives = drawer.context["lives"]
        assert lives[0].address == entry.mailbox.user.address
        assert len(lives) == shown
        assert plain(drawer).count("Restored from recovery") == shown
        assert plain(drawer).count("Deferred: mailbox full") >= 2 + shown  # two are listed
    if number > LIVES_SHOWN:
        assert f"It went to {number - LIVES_SHOWN} more mailbox" in plain(root.get(f"/trace/?id={first.pk}"))


# --- what it says ---------------------------------------------------------------------------------------------------


def test_tries_are_counted_and_a_late_delivery_says_how_late(root: Client) -> None:
    ann = an_owner()
    for hours in (41, 30, 2):
        an_answer("deferred", "full", mailbox=ann, pair=7, ago=timedelta(hours=hours), reply="452 4.2.2 full")
    done = an_answer(mailbox=ann, pair=7)
    assert rows(root) == [
        "Delivered, 41 hours late",
        "Deferred: mailbox full, try 3",
        "Deferred: mailbox full, try 2",
        "Deferred: mailbox full",
    ]
    shown = text(root, f"?id={done.pk}")
    assert shown.count("452 4.2.2 full") == 3
    an_answer(mailbox=ann, pair=7)
    assert rows(root)[0] == "Delivered"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"via": ["@example.org"]}, "Delivered by catch-all"),
        ({"via": ["info@example.org"]}, "Delivered by alias info@example.org"),
        ({"answer": "refused", "reason": "too-large", "octets": 61 * 2**20}, "Refused: 61 MB, larger than 50 MB"),
        ({"answer": "refused", "reason": "unknown", "tries": 12}, "Refused: no such mailbox, 12 times"),
        ({"answer": "unrecorded", "tries": 3}, "3 answers were not recorded"),
    ],
)
def test_each_answer_is_said_in_a_line(root: Client, fields: dict[str, Any], words: str) -> None:
    an_answer(mailbox=an_owner(), **fields)
    assert rows(root) == [words]


def test_each_reason_has_words_for_what_follows(root: Client) -> None:
    ann = an_owner()
    for reason in TraceEntry.Reason:
        entry = an_answer("refused", reason, mailbox=ann, recipient="a@example.org")
        shown = text(root, f"?id={entry.pk}")
        assert "The sender was told so at once" in shown
        assert len(root.get(f"/trace/?id={entry.pk}").context["lives"][0].steps[0].lines) > 1 or reason == "too-large"


def test_a_delivered_line_opens_the_life_of_the_message(root: Client) -> None:
    ann = an_owner()
    message = a_message(ann)
    phone = a_device(ann, "iPhone")
    a_session(phone, ago=timedelta(minutes=5), fetched="{[1,2)}", fetched_messages=1)
    entry = an_answer(mailbox=ann, queue_id=message.uidl, uidl=message.uidl, message_id="a@b", mta_id="4XyzA1B2")
    shown = text(root, f"?id={entry.pk}")
    assert "Fetched by “iPhone”" in shown
    assert "Waits for" in shown
    assert "4XyzA1B2" in shown
    Message.objects.update(removed=5, removed_at=timezone.now(), removed_why="dele", removed_by=phone)
    shown = text(root, f"?id={entry.pk}")
    assert "Removed from the mailbox: deleted by “iPhone”" in shown
    assert "In recovery, from where it can be restored, until" in shown
    Message.objects.all().delete()
    assert "Deleted for good since" in text(root, f"?id={entry.pk}")


def test_what_the_log_of_the_mta_says_stands_before_our_answer(root: Client) -> None:
    ann = an_owner()
    reply = "connect to mail[private/popadmin]: Connection refused"
    an_answer("deferred", "queued", mailbox=ann, source="mta", mta_id="4XyzA1B2", reply=reply, tries=3, pair=None)
    entry = an_answer(mailbox=ann, mta_id="4XyzA1B2")
    shown = text(root, f"?id={entry.pk}")
    assert "Deferred: waits in the queue of the mail server, 3 times" in shown
    assert shown.index("Connection refused") < shown.index("Delivered", shown.index("Connection refused"))


def test_text_of_a_sender_is_never_markup(root: Client) -> None:
    entry = an_answer("refused", "address", recipient="<script>x</script>@example.org", sender='"><b>@evil.example')
    page = root.get(f"/trace/?id={entry.pk}").content.decode()
    assert "<script>x" not in page
    assert "<b>@evil" not in page


# --- what helps -----------------------------------------------------------------------------------------------------


def test_a_mistyped_name_leads_to_the_mailbox_and_becomes_an_alias_in_one_click(root: Client, carla: Client) -> None:
    box = an_owner("accueil@example.org")
    entry = an_answer("refused", "unknown", recipient="Acceuil@example.org", domain=box.domain)
    for client in (root, carla):
        shown = text(client, f"?id={entry.pk}")
        assert "Did you mean accueil?" in shown
        assert "Create alias" in shown
    answer = carla.post(f"/trace/{entry.pk}/alias/", {"mailbox": box.pk}, follow=True)
    assert "acceuil@example.org is now an alias of accueil@example.org" in plain(answer)
    assert Alias.objects.get().targets == ["accueil@example.org"]
    assert AuditEntry.objects.filter(verb="alias.create", actor_name="carla").exists()


def test_up_to_three_mailboxes_and_aliases_are_offered_and_an_alias_can_be_taken(root: Client) -> None:
    for name in ("info", "infos", "inf", "into"):
        box = an_owner(f"{name}@example.org")
    alias = aliases.ensure("inof1@example.org", [box.user.address], actor=ACTOR).row
    entry = an_answer("refused", "unknown", recipient="inof@example.org", domain=box.domain)
    shown = text(root, f"?id={entry.pk}")
    assert "Did you mean inf, info, inof1?" in shown
    assert "Did you mean inof1@example.org? Create alias" in shown
    root.post(f"/trace/{entry.pk}/alias/", {"alias": alias.pk})
    assert Alias.objects.get(address="inof@example.org").targets == ["inof1@example.org"]


def test_a_domain_admin_makes_no_alias_elsewhere(carla: Client) -> None:
    eve = an_owner("eve@other.example")
    ann = Mailbox.objects.get(user__address=ANN)
    theirs = an_answer("refused", "unknown", recipient="evee@other.example", domain=eve.domain)
    own = an_answer("refused", "unknown", recipient="annn@example.org", domain=ann.domain)
    for entry, mailbox in ((theirs, ann), (own, eve)):
        assert carla.post(f"/trace/{entry.pk}/alias/", {"mailbox": mailbox.pk}).status_code == 404
    assert not Alias.objects.exists()


def test_a_refusal_leads_to_what_changes_it(root: Client) -> None:
    ann = an_owner()
    aliases.ensure("old@example.org", [ANN], actor=ACTOR)
    alias = Alias.objects.get()
    for reason, recipient, url in (
        ("full", ANN, f"/mailboxes/{ann.pk}/edit/#id_quota_octets"),
        ("closed", ANN, f"/mailboxes/{ann.pk}/edit/"),
        ("domain-off", ANN, f"/domains/{ann.domain_id}/"),
        ("alias-expired", "OLD@example.org", f"/aliases/{alias.pk}/"),
        ("disk", ANN, "/parts/"),
    ):
        entry = an_answer("deferred", reason, mailbox=ann, recipient=recipient)
        assert root.get(f"/trace/?id={entry.pk}").context["remedy"].url == url


def test_the_list_is_a_file_too(root: Client) -> None:
    an_answer("refused", "unknown", recipient="x@example.org", reply="550 5.1.1 no such mailbox here")
    content = b"".join(root.get("/trace/?export=csv").streaming_content).decode()
    assert f"{SENDER},x@example.org,Refused,no such mailbox,1,550 5.1.1" in content


# --- how it is read -------------------------------------------------------------------------------------------------

MANY = """
INSERT INTO mailstore_traceentry (at, first_at, tries, source, answer, reason, reply, sender, recipient, copy,
       mailbox_count, via, message_id, queue_id, uidl, mta_id, client, origin, pair, domain_id, mailbox_id)
SELECT now() - n * interval '10 seconds', now(), 1, 'lmtp',
       (ARRAY['delivered', 'refused', 'deferred'])[1 + (n %% 97) / 95],
       '', '', 's' || n || '@sender' || n %% 700 || '.example', 'r' || n %% 3000 || '@example.org', false, 1, '{}', '',
       '', '', '', '', '', n, %s + n %% 50, %s + n %% 3000
  FROM generate_series(1, 30000) AS n
"""


def indexes(rows: Any) -> set[str]:
    plan = rows.explain(format="json")
    return set(re.findall(r'"Index Name": "(\w+)"', plan))


def test_each_way_to_find_answers_has_its_index(carla: Client) -> None:
    ann = Mailbox.objects.get(user__address=ANN)
    with connection.cursor() as cursor:
        cursor.execute(MANY, [ann.domain_id, ann.pk])
        cursor.execute("ANALYZE mailstore_traceentry")
    host, admin = an_admin(), User.objects.get(address="carla")

    def found(**given: str) -> Any:
        return TraceFilters(given).narrow(access.trace(host))

    assert indexes(found(sender="s123@sender")) == {"trace_sender_search"}
    assert indexes(found(q="r17@example")) == {"trace_sender_search", "trace_recipient_search"}
    newest = {
        "trace_by_time": access.trace(host),
        "trace_not_delivered": found(answer="refused"),
        "trace_of_a_domain": access.trace(admin),
        "trace_of_a_mailbox": access.trace_of_mailbox(ann),
    }
    assert {name: indexes(rows.order_by("-at", "-pk")[:50]) for name, rows in newest.items()} == {
        name: {name} for name in newest
    }
