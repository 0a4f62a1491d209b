"""An owner connects a phone in a real browser: password, copy buttons, QR code, confirmation."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from mailstore.models import Device, RefusedName
from tests.browser.test_pages import NO_SCRIPT, PHONE, read, sign_in
from tests.site.page_users import an_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]


def connect(page, name="Phone"):
    page.goto("/devices/")
    page.locator("main").get_by_role("link", name="Connect a device").first.click()
    connect_here(page, name)


def connect_here(page, name="Phone"):
    page.get_by_label("Name").fill(name)
    page.get_by_text("How it shares the mailbox, and which mail it starts with").click()
    page.get_by_label("The last 30 days").check()
    page.get_by_role("button", name="Create password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Connect “{name}”")


def signs_in(name="Phone"):
    Device.objects.filter(name=name).update(last_sign_in_at=timezone.now(), last_client="192.0.2.7")


def a_program_begins_tls_too_early():
    now = timezone.now()
    RefusedName.objects.create(
        network="127.0.0.0/24", reason="tls-first", protocol="pop3", tries=1, first_at=now, last_at=now
    )


def test_the_page_tells_by_itself_what_goes_wrong_and_ticks_when_the_first_sign_in_arrives(visit):
    an_owner()
    page = visit()
    sign_in(page)
    connect(page)
    a_program_begins_tls_too_early()
    expect(page.get_by_text("it began TLS at once, on the port for STARTTLS.")).to_be_visible()
    expect(page.get_by_text("This line turns green by itself.")).to_be_visible()
    signs_in()
    expect(page.get_by_text("“Phone” works")).to_be_visible()
    expect(page.get_by_text("It signed in at")).to_be_visible()


def test_another_program_shows_its_steps_and_the_same_password(visit):
    an_owner()
    page = visit()
    sign_in(page)
    connect(page)
    secret = page.locator("#copy-secret").text_content()
    page.get_by_role("link", name="Outlook (classic)").click()
    expect(page.get_by_text("“Advanced options”")).to_be_visible()
    expect(page.locator("#copy-secret-outlook")).to_have_text(secret)
    expect(page.locator("#copy-secret")).to_be_hidden()
    expect(page.get_by_role("link", name="Outlook (classic)")).to_have_attribute("aria-current", "true")


def test_the_program_is_chosen_first_also_without_script(visit):
    an_owner()
    page = visit(**NO_SCRIPT)
    sign_in(page)
    page.goto("/devices/connect/")
    page.get_by_role("link", name="Gmail app").click()
    connect_here(page)
    expect(page.get_by_text("In the Gmail app")).to_be_visible()
    expect(page.get_by_role("link", name="Outlook (classic)")).to_have_count(0)


def test_without_script_a_link_leads_to_where_it_is_told(visit):
    an_owner()
    page = visit(**NO_SCRIPT)
    sign_in(page)
    connect(page)
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    signs_in()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Check now").click()
    expect(opened.value.get_by_text("from 192.0.2.7")).to_be_visible()


def test_each_thing_to_type_is_copied_by_its_button(visit):
    an_owner()
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    sign_in(page)
    connect(page)
    for number, source in enumerate(("#copy-host", "#copy-port", "#copy-user", "#copy-secret")):
        page.get_by_role("button", name="Copy").nth(number).click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == page.locator(source).text_content()
        expect(page.get_by_role("button", name="Copied")).to_have_count(0)


def test_the_code_opens_a_page_that_shows_the_password_and_hides_it_from_the_address(visit):
    phone = visit(**PHONE)
    phone.goto("/setup/device/#user=ann%40example.org&secret=abcdefgh-ijklmnop")
    expect(phone.get_by_text("ann@example.org")).to_be_visible()
    expect(phone.get_by_text("abcdefgh-ijklmnop")).to_be_visible()
    expect(phone.get_by_text("scan it again")).to_be_hidden()
    assert phone.url.endswith("/setup/device/")
    phone.reload()
    expect(phone.get_by_text("scan it again")).to_be_visible()


def test_what_is_not_of_a_code_is_only_ever_text(visit):
    page = visit()
    page.goto("/setup/device/#user=<img src=x onerror=alert(1)>&secret=x")
    expect(page.get_by_text("<img src=x")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_devices_can_be_read_by_eye_and_by_ear_and_fit_a_phone(visit, scheme):
    an_owner()
    page = visit(color_scheme=scheme, **PHONE)
    sign_in(page)
    connect(page, "A phone with a rather long name for what it is")
    faults = {"connected": [*read(page), *too_wide(page)]}
    key = Device.objects.get(main=False).pk
    main = Device.objects.get(main=True).pk
    for path in ("", "connect/", f"{key}/", f"{key}/revoke/", f"{main}/"):
        page.goto(f"/devices/{path}")
        faults[path] = [*read(page), *too_wide(page)]
    page.goto("/setup/device/#user=ann%40example.org&secret=abcdefgh-abcdefgh-abcdefgh-abcdefgh")
    faults["setup"] = [*read(page), *too_wide(page)]
    assert {path: found for path, found in faults.items() if found} == {}


def too_wide(page):
    width = page.evaluate("document.documentElement.scrollWidth")
    return [f"{width} pixels wide"] if width > 360 else []
