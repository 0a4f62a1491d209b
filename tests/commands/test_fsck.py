"""`fsck`: exit code 1 while something is wrong, a list in JSON, and no bar where nobody looks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailstore.bodies.files import FileBodies
from mailstore.models import Mailbox
from tests.commands.shell import one_line, process
from tests.store.site import a_mailbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    FileBodies(tmp_path / "bodies").prepare()
    a_mailbox()
    return str(tmp_path)


def test_a_whole_site_ends_with_zero(folder: str) -> None:
    done = process("fsck", POPADMIN_DATA_DIR=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"nothing is wrong\n", b"")


def test_what_is_wrong_is_listed_and_ends_with_one_until_it_is_mended(folder: str) -> None:
    Mailbox.objects.update(messages=3)
    done = process("fsck", "--json", POPADMIN_DATA_DIR=folder)
    assert done.returncode == 1
    assert one_line(done.stderr) == "popadmin: counter: 1"
    (finding,) = json.loads(done.stdout)
    assert (finding["kind"], finding["subject"], finding["mended"]) == ("counter", "ann@example.org", False)
    mended = process("fsck", "--repair", POPADMIN_DATA_DIR=folder)
    assert (mended.returncode, b"(mended)" in mended.stdout) == (0, True)
    assert process("fsck", "--json", POPADMIN_DATA_DIR=folder).stdout == b"[]\n"
