"""An owner’s day on a phone, in both languages: new password, recovery address, a lost device, a lost password."""

from __future__ import annotations

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from mailstore.models import Device, Domain
from mailstore.store import mailboxes
from tests.browser.test_connecting import too_wide
from tests.browser.test_pages import NEW, PHONE, read, sign_in
from tests.signin.mailing import code, link
from tests.store.site import ACTOR, PASSWORD
from tests.web.people import an_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]

ENGLISH = {
    "must": "Choose a new password",
    "old": "Present password",
    "new": "New password",
    "again": "New password, once more",
    "change": "Change the password",
    "home": "My mailbox",
    "devices": "Devices",
    "connect": "Connect a device",
    "name": "Name",
    "make": "Make the password",
    "revoke": "Revoke …",
    "revoked": "is revoked: it signs in no more",
    "settings": "Settings",
    "recovery": "Recovery address",
    "mail": "Mail the code",
    "code": "Code from the mail",
    "confirm": "Confirm",
    "confirmed": "The recovery address is confirmed.",
    "history": "What was changed",
    "out": "Sign out",
    "forgotten": "Forgotten password",
    "address": "Address",
    "link": "Mail me a link",
    "mailed": "Look into your mail",
    "changed": "The password is changed",
}
FRENCH = {
    "must": "Choisissez un nouveau mot de passe",
    "old": "Mot de passe actuel",
    "new": "Nouveau mot de passe",
    "again": "Nouveau mot de passe, encore une fois",
    "change": "Changer le mot de passe",
    "home": "Ma boîte",
    "devices": "Appareils",
    "connect": "Connecter un appareil",
    "name": "Nom",
    "make": "Créer le mot de passe",
    "revoke": "Révoquer…",
    "revoked": "est révoqué",
    "settings": "Réglages",
    "recovery": "Adresse de secours",
    "mail": "Envoyer le code",
    "code": "Code reçu par courriel",
    "confirm": "Confirmer",
    "confirmed": "L’adresse de secours est confirmée.",
    "history": "Ce qui a été changé",
    "out": "Se déconnecter",
    "forgotten": "Mot de passe oublié",
    "address": "Adresse",
    "link": "M’envoyer un lien",
    "mailed": "Regardez votre courriel",
    "changed": "Le mot de passe est changé",
}


class Walk:
    """One page, whose every stop is looked at: faults for eye and ear, and whatever is wider than the phone."""

    def __init__(self, page: Page, words: dict[str, str]) -> None:
        self.page, self.words = page, words
        self.faults: dict[str, list[str]] = {}

    def at(self, heading: str) -> None:
        title = self.words.get(heading, heading)
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
        if found := [*read(self.page), *too_wide(self.page)]:
            self.faults[title] = found

    def go(self, name: str) -> None:
        self.page.locator(".sidebar").get_by_role("link", name=self.words[name]).click()

    def open(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("link", name=self.words[name]).first.click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=self.words[name]).first.click()

    def fill(self, name: str, value: str) -> None:
        self.page.get_by_label(self.words[name], exact=True).fill(value)

    def told(self, name: str) -> None:
        expect(self.page.get_by_role("status").first).to_contain_text(self.words[name])


@pytest.mark.parametrize(
    ("locale", "words", "scheme"),
    [("en-GB", ENGLISH, "dark"), ("fr-FR", FRENCH, "light")],
    ids=["English", "French"],
)
def test_an_owners_day(visit, locale, words, scheme):
    address = f"ann-{locale.lower()}@example.org"
    an_owner(address)
    mailboxes.ensure(address, actor=ACTOR, must_change_password=True)
    Domain.objects.update(owner_forwards=True)
    page = visit(locale=locale, color_scheme=scheme, **PHONE)
    walk = Walk(page, words)

    sign_in(page, address)
    walk.at("must")
    walk.fill("old", PASSWORD)
    walk.fill("new", NEW)
    walk.fill("again", NEW)
    walk.press("change")
    walk.at("home")

    walk.go("settings")
    walk.at("settings")
    walk.open("recovery")
    walk.at("recovery")
    walk.fill("recovery", "ann@home.example")
    walk.fill("old", NEW)
    walk.press("mail")
    walk.fill("code", code())
    walk.press("confirm")
    walk.told("confirmed")
    walk.open("history")
    walk.at("history")

    walk.go("devices")
    walk.at("devices")
    walk.open("connect")
    walk.at("connect")
    walk.fill("name", "Phone")
    walk.press("make")
    expect(page.locator(".qr")).to_be_visible()
    walk.go("devices")
    page.get_by_role("link", name="Phone").click()
    walk.at("Phone")
    walk.open("revoke")
    page.get_by_role("main").get_by_role("button", name=words["revoke"].strip(" …")).click()
    walk.told("revoked")
    assert Device.objects.get(name="Phone").revoked_at is not None

    walk.press("out")
    walk.open("forgotten")
    walk.at("forgotten")
    walk.fill("address", address)
    walk.press("link")
    walk.at("mailed")
    page.goto(link())
    walk.at("must")
    walk.fill("new", "one more that is new")
    walk.fill("again", "one more that is new")
    walk.press("change")
    walk.told("changed")
    sign_in(page, address, "one more that is new")
    walk.at("home")
    assert len(mail.outbox) == 2
    assert walk.faults == {}
