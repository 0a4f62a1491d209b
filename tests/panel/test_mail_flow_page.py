"""The page of the mail flow, and its row on the overview: what the last check found, with the remedy."""

from __future__ import annotations

import datetime
import html

import pytest
from django.utils import timezone
from django.utils.translation import override

from mailstore.directory import grants, site_figures
from mailstore.models import AuditEntry, MailFlow
from mailstore.mta import check_text, last_check
from mailstore.mta.checks import table
from mailstore.mta.checks.result import Result, State
from popadmin.panel.menu_counts import fault_count
from tests.site.page_users import an_admin, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db
GOOD = Result("delimiter", State.GOOD, "recipient_delimiter = +")
SKIPPED = Result("policy-full", State.SKIPPED, "", "no-policy")
BAD = Result(
    "destinations",
    State.BAD,
    "mydestination = example.org",
    "domain-twice",
    {"domain": "example.org", "parameter": "mydestination"},
)


def page(path: str = "/mail-flow/") -> str:
    an_admin()
    return html.unescape(signed_in("root").get(path).content.decode()).replace("\xa0", " ")


def ago(**columns: datetime.timedelta) -> None:
    MailFlow.objects.update(**{name: timezone.now() - age for name, age in columns.items()})


def test_only_hosting_admins_have_the_page() -> None:
    a_domain()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    assert signed_in("carla").get("/mail-flow/").status_code == 404


def test_without_a_check_the_page_names_the_commands_and_the_overview_is_silent() -> None:
    shown = page()
    assert "never been checked" in shown
    assert "popadmin mta check" in shown
    assert "mail flow" not in page("/overview/").partition("</nav>")[2]


def test_what_is_wrong_comes_first_with_its_remedy() -> None:
    last_check.note_check([GOOD, SKIPPED, BAD])
    shown = page()
    assert "1 check failed" in shown
    first, second, third = (
        shown.index("example.org stands in mydestination too"),
        shown.index("recipient_delimiter = +"),
        shown.index("Not tried: POLICY_LISTEN is empty"),
    )
    assert first < shown.index("Remove it from mydestination") < second < third


def test_the_overview_warns_of_a_check_that_failed_and_the_menu_counts_it() -> None:
    last_check.note_check([GOOD, BAD])
    shown = page("/overview/")
    assert "1 problem in the mail flow" in shown
    assert "example.org stands in mydestination too" in shown
    figures = site_figures.read(an_admin())
    last_check.note_check([GOOD])
    assert fault_count(figures, host=True) == fault_count(site_figures.read(an_admin()), host=True) + 1
    assert "problem in the mail flow" not in page("/overview/")


def test_the_overview_warns_when_the_last_check_is_older_than_a_week_after_a_setup() -> None:
    week, day = datetime.timedelta(days=8), datetime.timedelta(days=1)
    last_check.note_check([GOOD])
    ago(checked_at=week)
    assert not last_check.last().is_overdue(timezone.now())  # nobody has set an MTA up
    last_check.note_setup("postfix", ["/etc/postfix/main.cf"], actor=ACTOR)
    assert not last_check.last().is_overdue(timezone.now())  # a moment ago
    ago(set_up_at=week)
    assert "The mail flow has not been checked" in page("/overview/")
    assert "not been checked for a week" in page()
    ago(checked_at=day)
    assert "The mail flow has not been checked" not in page("/overview/")
    ago(checked_at=week)
    last_check.note_undo("postfix", [], is_last=True, actor=ACTOR)
    assert not last_check.last().is_overdue(timezone.now())


def test_a_setup_and_its_undo_are_in_the_audit() -> None:
    last_check.note_setup("postfix", ["/etc/postfix/main.cf"], actor=ACTOR)
    last_check.note_undo("postfix", ["/etc/postfix/main.cf"], is_last=True, actor=ACTOR)
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", "subject")) == [
        ("site.mta-setup", "postfix"), ("site.mta-undo", "postfix"),
    ]  # fmt: skip
    assert "set up the mail server" in page("/audit/")


def test_each_check_has_a_name_and_each_fault_a_remedy_in_both_languages() -> None:
    assert set(check_text.NAMES) == set(table.CHECKS)
    for language in ("en", "fr"):
        with override(language):
            assert all(map(str, check_text.NAMES.values()))
            assert all(str(text) for pair in check_text.FAULTS.values() for text in pair)
