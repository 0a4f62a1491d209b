"""A new hosting admin's first day, in both languages, by the texts of the pages."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mailstore.models import Mailbox, User
from tests.browser.test_pages import sign_in
from tests.browser.walk import LOCALES, Walk
from tests.site.page_users import an_admin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
TEN = ("anna", "ben", "carl", "dora", "emil", "fay", "gus", "hana", "ines", "jan")


@pytest.mark.parametrize("language", LOCALES)
def test_a_new_hosting_admin_comes_from_an_empty_panel_to_a_domain_of_ten(visit, language, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("address;name;quota\n" + "".join(f"{name}@firma.example;{name.title()};1 GB\n" for name in TEN))
    an_admin()
    page = visit(locale=LOCALES[language])
    walk = Walk(page, language)

    sign_in(page, "root")
    expect(page.locator("h1.verdict")).to_be_visible()  # what it says depends on what runs beside
    walk.menu("Mailboxes")
    walk.open("Create first domain")
    walk.fill("Name", "firma.example")
    walk.press("Create domain")
    walk.sees_notice("%(domain)s is created.", domain="firma.example")
    walk.at("firma.example", own=True)

    walk.menu("Mailboxes")
    walk.open("Import")
    walk.at("Import a file")
    walk.field("CSV file").set_input_files(people)
    walk.press("Upload")
    walk.at("Columns of the file")
    walk.press("Check the rows")
    walk.press("Import")
    assert set(handed_out(page, walk)) == {f"{name}@firma.example" for name in TEN}
    page.reload()
    walk.open("Back to mailboxes")
    expect(page.get_by_role("row")).to_have_count(1 + len(TEN))

    walk.open("ben@firma.example", own=True)
    walk.press("Suspend")
    walk.sees_notice("%(address)s is suspended.", address="ben@firma.example")
    walk.at("ben@firma.example", own=True)
    walk.menu("Mailboxes")
    walk.open("carl@firma.example", own=True)
    page.get_by_label(walk.say("More"), exact=True).click()
    walk.open("Remove…")
    walk.at("Remove the mailbox")
    walk.press("Remove mailbox")
    walk.press("Undo")
    walk.sees_notice("%(address)s is restored.", address="carl@firma.example")
    walk.menu("Overview")
    expect(page.locator(".subtitle")).to_have_text(re.compile(r"\b10\b.*\b1\b", re.DOTALL))  # receive, is suspended

    assert Mailbox.objects.filter(removed_at=None, domain__name="firma.example").count() == len(TEN)
    assert [user.address for user in User.objects.filter(is_active=False)] == ["ben@firma.example"]
    assert walk.faults == {}


def handed_out(page: Page, walk: Walk) -> dict[str, str]:
    """The passwords of the file that is handed out once, by address."""
    with page.expect_download() as download:
        walk.press("Download the passwords")
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        return {address: password for address, password, *_rest in list(csv.reader(file))[1:]}
