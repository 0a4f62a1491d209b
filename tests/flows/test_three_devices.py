"""Three mail programs, each as a device, on one mailbox: each gets every message exactly once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailstore.models import Device, DiarySession, Mailbox, Message
from tests.flows.mail_programs import ADDRESS, curl, fetchmail, getmail, subjects, succeeded
from tests.listeners import MailSite, numbered
from tests.up.programs import until

pytestmark = pytest.mark.real
SUBJECTS = [f"message {number}" for number in range(1, 10)]
MAIL = numbered(len(SUBJECTS), octets=2000)


class Curl:
    """A device without a memory of its own: it fetches what is listed and deletes it."""

    def __init__(self, mail_site: MailSite, secret: str) -> None:
        self.mail_site = mail_site
        self.secret = secret
        self.fetched: list[str] = []

    def poll(self) -> None:
        url = f"pop3s://localhost:{self.mail_site.pop3d.tls_port}/"
        for line in curl(self.mail_site, url, secret=self.secret).splitlines():
            message = curl(self.mail_site, url + line.split()[0].decode(), secret=self.secret).decode()
            self.fetched.append(re.search(r"^Subject: (.*?)\r?$", message, re.M).group(1))
        for _ in range(len(curl(self.mail_site, url, secret=self.secret).splitlines())):
            curl(self.mail_site, url + "1", "--request", "DELE", "--head", secret=self.secret)


@pytest.fixture
def shared(mail_site: MailSite) -> MailSite:
    """Ann's mailbox; its main password is barred from POP, as of somebody with devices only."""
    mail_site.mailbox(main_pop=False)
    return mail_site


def test_each_of_three_programs_gets_every_message_once(shared: MailSite, tmp_path: Path) -> None:
    """fetchmail deletes what it has, getmail leaves all on the server, curl deletes what it saw."""
    folders = {name: tmp_path / name for name in ("fetchmail", "getmail")}
    for folder in folders.values():
        folder.mkdir()
    secrets = {name: shared.device(ADDRESS, name) for name in ("fetchmail", "getmail", "curl")}
    downloads = Curl(shared, secrets["curl"])
    for batch in (MAIL[:4], MAIL[4:7], MAIL[7:]):
        shared.fill(ADDRESS, *batch)
        succeeded(fetchmail(shared, folders["fetchmail"], "fetchall nokeep", secret=secrets["fetchmail"]))
        getmail(shared, folders["getmail"], delete=False, secret=secrets["getmail"])
        downloads.poll()
    assert subjects(folders["fetchmail"] / "mbox") == SUBJECTS
    assert subjects(folders["getmail"] / "mbox") == SUBJECTS
    assert sorted(downloads.fetched) == SUBJECTS
    # getmail never deletes, so for it all stay; what each has is known all the same.
    assert Mailbox.objects.get().messages == len(SUBJECTS)
    arrivals = list(Message.objects.order_by("added").values_list("added", flat=True))
    until(lambda: all(has_all(device, arrivals) for device in Device.objects.filter(main=False)), "all is confirmed")


def test_what_the_last_of_three_deletes_is_gone_and_the_diary_tells_who_had_it(
    shared: MailSite, tmp_path: Path
) -> None:
    shared.fill(ADDRESS, *MAIL[:2])
    secrets = [shared.device(ADDRESS, name) for name in ("one", "two", "three")]
    for number, secret in enumerate(secrets):
        folder = tmp_path / str(number)
        folder.mkdir()
        succeeded(fetchmail(shared, folder, "fetchall nokeep", secret=secret))
        assert Mailbox.objects.get().messages == (0 if number == 2 else 2)
    until(lambda: DiarySession.objects.exclude(deleted="{}").count() == 3, "the diary has all three")
    assert list(DiarySession.objects.order_by("started_at").values_list("device__name", "deleted", "ended")) == [
        (name, "{[1,3)}", "quit") for name in ("one", "two", "three")
    ]


def has_all(device: Device, arrivals: list[int]) -> bool:
    held = [
        range(*map(int, pair))
        for text in (device.confirmed, device.hidden)
        for pair in re.findall(r"\[(\d+),(\d+)\)", text)
    ]
    return all(any(added in numbers for numbers in held) for added in arrivals)
