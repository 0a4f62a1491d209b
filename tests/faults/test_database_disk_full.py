"""The disk of the database is full: mail is deferred, readiness fails, and the overview names the disk."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from mailstore.errors import StorageFull
from mailstore.integrity import readiness
from tests.faults.breakable_site import BreakableSite

DISK = "160m"
ANN = "p0@example.org"
LOOK = """
import json
from django.test import Client
from mailstore.directory import admins
from mailstore.models import User
from mailstore.directory.audit import Actor
admins.ensure("root", actor=Actor("tester", "shell"), password="correct horse battery staple")
client = Client(headers={"host": "localhost"})
client.force_login(User.objects.get(address="root"))
print("signed in", flush=True)
input()
ready, page = client.get("/readyz"), client.get("/overview/")
print(json.dumps([ready.status_code, ready.json()["checks"], page.status_code, page.content.decode()]))
"""


def mount(folder: Path, size: str) -> None:
    options = ["-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("mounting a file system needs root")


@pytest.fixture
def full(tmp_path: Path) -> Iterator[BreakableSite]:
    """A site whose database has a disk of its own; its mail lies elsewhere."""
    folder = tmp_path / "site"
    disk = folder / "postgres"
    disk.mkdir(parents=True)
    mount(disk, DISK)
    site = BreakableSite(folder)
    try:
        site.start()
        site.until_it_serves()
        yield site
    finally:
        (disk / "ballast").unlink(missing_ok=True)
        site.stop()
        subprocess.run(["umount", str(disk)], check=True)
        shutil.rmtree(folder)


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as stream:
        for octets in (1 << 20, 1 << 10):
            with contextlib.suppress(OSError):  # no space left
                while stream.write(bytes(octets)):
                    pass
    assert shutil.disk_usage(disk).free < 1 << 12


def look(site: BreakableSite) -> subprocess.Popen[str]:
    """A browser and a monitor that came before."""
    return site.process("shell", "--verbosity", "0", "--command", LOOK)


def test_a_full_disk_of_the_database_is_not_ready_and_the_overview_names_it_until_there_is_room(
    full: BreakableSite,
) -> None:
    disk = full.folder / "postgres"
    for is_full in (True, False):
        with look(full) as process:
            assert process.stdout
            assert process.stdout.readline() == "signed in\n"
            if is_full:
                fill(disk)
                assert full.deliver_until_refused(ANN) == 451
            out, _err = process.communicate("\n", timeout=60)
        status, checks, page_status, page = json.loads(out)
        good = {check["check"]: check["ok"] for check in checks}
        assert good["database disk"] is not is_full
        assert good["body store"] is True
        assert status == (503 if is_full else 200)
        assert page_status == 200
        assert ("Disk of the database:" in page) is is_full
        assert "Disk of the mail:" not in page
        (disk / "ballast").unlink(missing_ok=True)
        full.until_it_serves()


def test_a_private_database_is_not_ready_before_the_last_room_for_its_log_is_gone(
    db: None, settings: Settings, tmp_path: Path
) -> None:
    settings.DATABASE_IS_PRIVATE, settings.DATA_DIR = True, tmp_path
    disk = tmp_path / "postgres"
    disk.mkdir()
    readiness.database_disk()
    mount(disk, "16m")
    try:
        with pytest.raises(StorageFull, match="postgres has less than"):
            readiness.database_disk()
    finally:
        subprocess.run(["umount", str(disk)], check=True)
