"""The data folder of each released version opens in this one: `up` serves its mail, its people and its pages."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import shutil
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mailstore.bodies import layout
from popadmin.up.postgres import Cluster
from tests.released.make import HERE
from tests.released.site import SECONDS, Site
from tests.up.programs import until

RELEASES = sorted(path.parent.name for path in HERE.glob("*/expected.json"))


class Opened(Site):
    """The folder of a release, which this version's `up` runs; `expected` is what was in it."""

    def __init__(self, folder: Path, release: Path) -> None:
        super().__init__(folder)
        self.release = release
        shutil.copytree(release / "data", folder)
        (folder / "secret-key").chmod(0o600)
        self.expected: dict[str, Any] = json.loads((release / "expected.json").read_text())
        cluster = Cluster(folder, durable=False)
        cluster.start()
        try:
            with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
                connection.execute((release / "database.sql").read_bytes())
        finally:
            cluster.stop()

    def old(self, view: dict[str, Any]) -> list[dict[str, Any]]:
        """What a device sees, without what other tests have added."""
        return self.view(view["login"], view["password"])[: len(view["messages"])]


@pytest.fixture(scope="module", params=RELEASES)
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    folder = Path(tempfile.mkdtemp(prefix="popadmin-released-"))
    folder.chmod(0o777 if os.geteuid() == 0 else 0o700)
    site = Opened(folder / "data", HERE / request.param)
    with site.up():
        yield site
    shutil.rmtree(folder)


def test_there_is_a_folder_of_the_first_release() -> None:
    assert "0.1.0" in RELEASES


def test_each_password_still_signs_in_and_sees_the_same_messages(opened: Opened) -> None:
    for view in opened.expected["views"]:
        assert opened.old(view) == view["messages"], view["who"]


def test_mail_in_recovery_can_be_restored(opened: Opened) -> None:
    recovery = opened.expected["recovery"]
    assert recovery["message"] not in opened.view(recovery["address"], recovery["password"])
    opened.command("recover", "restore", recovery["address"], "--all")
    assert recovery["message"] in opened.view(recovery["address"], recovery["password"])


def test_a_removed_mailbox_can_be_restored_with_its_mail(opened: Opened) -> None:
    removed = opened.expected["removed"]
    opened.command("mailbox", "restore", removed["address"])
    assert len(opened.view(removed["address"], removed["password"])) == removed["messages"]


def test_new_mail_arrives_behind_the_old(opened: Opened) -> None:
    ann = opened.expected["views"][0]
    opened.deliver(b"Subject: new\r\n\r\nNew.\r\n", ann["login"])
    assert opened.old(ann) == ann["messages"]
    (new,) = opened.view(ann["login"], ann["password"])[len(ann["messages"]) :]
    assert new["uidl"] not in {message["uidl"] for message in ann["messages"]}


def test_the_pages_show_what_was_there(opened: Opened) -> None:
    browser = signed_in(opened)
    for path, text in opened.expected["pages"].items():
        page = read(browser, f"{opened.pages}{path}")
        assert text in re.sub(r"<[^>]+>", "", page), path


def test_everything_is_ready_and_nothing_is_damaged(opened: Opened) -> None:
    with urllib.request.urlopen(f"{opened.pages}/readyz", timeout=SECONDS) as answer:
        assert json.load(answer)["ready"] is True
    assert json.loads(opened.command("fsck", "--deep", "--json")) == []


def test_the_body_store_is_tied_to_the_database(opened: Opened) -> None:
    tie = opened.folder / "bodies" / layout.STORE_ID
    until(tie.exists, "the first sweep has tied them")
    script = "from mailstore.models import StoreTie; print(StoreTie.objects.get().store_id)"
    assert opened.command("shell", "--verbosity", "0", "--command", script).strip() in tie.read_text()


def test_the_secret_key_is_the_old_one(opened: Opened) -> None:
    assert (opened.folder / "secret-key").read_bytes() == (opened.release / "data" / "secret-key").read_bytes()


def signed_in(site: Opened) -> urllib.request.OpenerDirector:
    """A browser in which the administrator is signed in."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = f"{site.pages}/sign-in/"
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', read(browser, page))
    assert token
    admin = site.expected["admin"]
    form = {"csrfmiddlewaretoken": token[1], "username": admin["login"], "password": admin["password"]}
    read(browser, page, urllib.parse.urlencode(form).encode())
    return browser


def read(browser: urllib.request.OpenerDirector, address: str, form: bytes | None = None) -> str:
    with browser.open(urllib.request.Request(address, form, {"Referer": address}), timeout=SECONDS) as answer:
        return answer.read().decode()
