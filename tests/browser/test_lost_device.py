"""An owner connects two devices, loses one, and restores everything; with real mail programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mailstore.models import Device, DiarySession, Mailbox
from tests.browser.test_pages import sign_in
from tests.flows.mail_programs import ADDRESS, curl, fetchmail, getmail, subjects, succeeded
from tests.installed_program import program
from tests.listeners import MailSite, numbered, run
from tests.up.programs import until

pytestmark = pytest.mark.real

LIMIT_REACHED = 13  # fetchmail(1), EXIT CODES
SUBJECTS = [f"message {number}" for number in range(1, 5)]


@dataclass(frozen=True)
class Words:
    locale: str
    devices: str
    connect: str
    name: str
    make: str
    revoke: str
    recovery: str
    restore: str
    for_some: str
    only: str


ENGLISH = Words(
    "en-GB",
    "Devices",
    "Connect a device",
    "Name",
    "Create password",
    "Revoke",
    "Recovery",
    "Restore",
    "Restore for some devices…",
    "Only these devices",
)
FRENCH = Words(
    "fr-FR",
    "Appareils",
    "Connecter un appareil",
    "Nom",
    "Créer le mot de passe",
    "Révoquer",
    "Récupération",
    "Rétablir",
    "Rétablir pour certains appareils…",
    "Seulement ces appareils",
)


class Owner:
    """What he does in the pages."""

    def __init__(self, page: Page, words: Words) -> None:
        self.page, self.words = page, words

    def go(self, name: str) -> None:
        self.page.locator(".side").get_by_role("link", name=name).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(name)

    def connect(self, name: str) -> str:
        """The new device's password, as the page shows it once."""
        self.go(self.words.devices)
        self.page.get_by_role("main").get_by_role("link", name=self.words.connect).first.click()
        self.page.get_by_label(self.words.name, exact=True).fill(name)
        self.page.get_by_role("button", name=self.words.make).click()
        return self.page.locator("#copy-secret").inner_text()

    def lose(self, name: str) -> None:
        self.go(self.words.devices)
        self.page.get_by_role("main").get_by_role("link", name=name).click()
        self.page.get_by_role("link", name=self.words.revoke).click()
        self.page.get_by_role("button", name=self.words.revoke).click()
        expect(self.page.get_by_role("status")).to_contain_text(name)

    def get_everything_back(self, device: str) -> None:
        self.go(self.words.recovery)
        for box in self.page.locator("input[name=ticked]").all():
            box.check()
        self.page.get_by_role("button", name=self.words.for_some).first.click()
        self.page.get_by_label(self.words.only).check()
        self.page.get_by_label(device, exact=True).check()
        self.page.get_by_role("button", name=self.words.restore, exact=True).click()
        expect(self.page.get_by_role("status")).to_contain_text("2 messages")


class Laptop:
    """getmail: it keeps what it has in a file of its own, which is lost with it."""

    def __init__(self, mail_site: MailSite, secret: str, folder: Path) -> None:
        folder.mkdir()
        self._mail_site, self._secret, self._folder = mail_site, secret, folder

    def fetch(self) -> list[str]:
        """Delete on the server what was fetched; returns all it has."""
        getmail(self._mail_site, self._folder, delete=True, secret=self._secret)
        return subjects(self._folder / "mbox")


class Phone:
    """fetchmail: it deletes what it has fetched."""

    def __init__(self, mail_site: MailSite, secret: str, folder: Path) -> None:
        folder.mkdir()
        self._mail_site, self._secret, self._folder = mail_site, secret, folder

    def fetch(self, most: int) -> list[str]:
        """Fetch so many at most; returns all it has."""
        options = f"fetchall nokeep fetchlimit {most}"
        succeeded(fetchmail(self._mail_site, self._folder, options, secret=self._secret), 0, LIMIT_REACHED)
        return subjects(self._folder / "mbox")


@pytest.mark.parametrize("words", [ENGLISH, FRENCH], ids=["English", "French"])
def test_who_loses_a_device_gets_everything_back(visit, mail_site: MailSite, tmp_path: Path, words: Words) -> None:
    mail_site.mailbox()
    page = visit(locale=words.locale, viewport={"width": 1440, "height": 900})
    sign_in(page)
    owner = Owner(page, words)
    laptop = Laptop(mail_site, owner.connect("PC"), tmp_path / "pc")
    phone = Phone(mail_site, owner.connect("Pixel"), tmp_path / "phone")
    mail_site.fill(ADDRESS, *numbered(len(SUBJECTS)))

    assert laptop.fetch() == SUBJECTS
    assert phone.fetch(2) == SUBJECTS[:2]
    until(lambda: DiarySession.objects.count() == 2, "the diary has both")
    # What both have deleted rests; what the phone has not fetched waits for it.
    assert list(Mailbox.objects.values_list("messages", "recovery_messages")) == [(2, 2)]

    owner.lose("PC")
    lost = Device.objects.get(name="PC")
    assert lost.revoked_at is not None
    new = Laptop(mail_site, owner.connect("PC 2"), tmp_path / "pc2")
    owner.get_everything_back("PC 2")

    assert new.fetch() == SUBJECTS
    assert phone.fetch(10) == SUBJECTS, "each once: what was restored for the other device alone is none of its own"
    assert new.fetch() == SUBJECTS
    assert list(Mailbox.objects.values_list("messages", "recovery_messages")) == [(0, 4)]


def test_the_lost_device_is_shut_out(visit, mail_site: MailSite) -> None:
    mail_site.mailbox()
    page = visit(locale=ENGLISH.locale)
    sign_in(page)
    owner = Owner(page, ENGLISH)
    secret = owner.connect("PC")
    url = f"pop3s://localhost:{mail_site.pop3d.tls_port}/"
    curl(mail_site, url, secret=secret)
    owner.lose("PC")
    trust = ["--cacert", str(mail_site.authority.ca_file), "--user", f"{ADDRESS}:{secret}"]
    refused = run([program("curl"), "--silent", "--show-error", *trust, url])
    assert refused.returncode == 67, refused  # CURLE_LOGIN_DENIED
