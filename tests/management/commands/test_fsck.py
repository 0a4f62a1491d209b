"""`fsck`: exit code 1 while something is wrong, a list in JSON, and no bar where nobody looks."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash

from mailstore.bodies import layout, stored_body
from mailstore.bodies.files import FileBodies
from mailstore.models import Mailbox, Message
from mailstore.policy import sortable_ids
from tests.bodies.second_user import AS_ROOT, OTHER_USER, THIRD_USER, give, open_folder, owners
from tests.management.command_runner import one_line, process
from tests.site.rows import a_mailbox

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


def body_without_row(folder: Path, wire: bytes = b"Subject: x\r\n") -> str:
    """Of two hours ago."""
    key = sortable_ids.new_id(int((time.time() - 7200) * 1000), os.urandom(sortable_ids.RANDOM_OCTETS))
    place = folder / "bodies" / layout.path(key)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(wire + stored_body.seal(xxhash.xxh3_128_digest(wire), len(wire)))
    return key


def test_a_check_that_cannot_go_on_says_so_in_json_that_is_whole(folder: str) -> None:
    shutil.rmtree(f"{folder}/bodies")
    done = process("fsck", "--json", POPADMIN_DATA_DIR=folder)
    ((kind, subject),) = [(finding["kind"], finding["subject"]) for finding in json.loads(done.stdout)]
    assert (done.returncode, kind, subject) == (1, "unfinished", "fsck")
    assert "is its disk mounted" in one_line(done.stderr)


def test_a_folder_in_the_place_of_a_body_leaves_the_json_whole(folder: str) -> None:
    for _message in range(2):
        process("deliver", "ann@example.org", stdin=b"Subject: x\n\nx\n", POPADMIN_DATA_DIR=folder)
    for message in Message.objects.all():
        place = Path(folder, "bodies", layout.path(message.body.key))
        place.unlink()
        place.mkdir()
    done = process("fsck", "--json", POPADMIN_DATA_DIR=folder)
    assert [finding["kind"] for finding in json.loads(done.stdout)] == ["lost", "lost"]
    assert (done.returncode, one_line(done.stderr)) == (1, "popadmin: lost: 2")


def test_a_repair_that_would_take_much_wants_to_be_told_the_count(folder: str) -> None:
    keys = {body_without_row(Path(folder)) for _body in range(3)}
    refused = process("fsck", "--repair", POPADMIN_DATA_DIR=folder)
    assert (refused.returncode, b"fsck --repair --destroy 3" in refused.stdout) == (1, True)
    assert set(FileBodies(Path(folder, "bodies")).keys()) == keys
    assert process("fsck", "--repair", "--destroy", "3", POPADMIN_DATA_DIR=folder).returncode == 0
    assert list(FileBodies(Path(folder, "bodies")).keys()) == []


def test_bodies_are_adopted_by_name_of_a_mailbox(folder: str) -> None:
    key = body_without_row(Path(folder))
    dry = process("fsck", "--adopt", "ann@example.org", "--dry-run", "--json", POPADMIN_DATA_DIR=folder)
    ((kind, subject),) = [(finding["kind"], finding["subject"]) for finding in json.loads(dry.stdout)]
    assert (dry.returncode, kind, subject, Message.objects.count()) == (0, "adoptable", key, 0)
    done = process("fsck", "--adopt", "ann@example.org", POPADMIN_DATA_DIR=folder)
    assert (done.returncode, done.stdout.startswith(f"adopted: {key}: 12 octets".encode())) == (0, True)
    assert Message.objects.get().body.key == key
    again = process("fsck", "--adopt", "ann@example.org", POPADMIN_DATA_DIR=folder)
    assert (again.returncode, again.stdout) == (0, b"no body is without a row\n")
    nobody = process("fsck", "--adopt", "bob@example.org", "--json", POPADMIN_DATA_DIR=folder)
    assert (nobody.returncode, nobody.stdout) == (1, b"")


@pytest.mark.parametrize(
    "words",
    [["--destroy", "3"], ["--dry-run"], ["--adopt", "ann@example.org", "--repair"], ["--repair", "--destroy", "x"]],
)
def test_options_that_mean_nothing_together_are_refused(folder: str, words: list[str]) -> None:
    done = process("fsck", *words, POPADMIN_DATA_DIR=folder)
    assert (done.returncode, done.stdout) == (2, b"")


# --- as root, beside a site of another user ---------------------------------------------------------------------------


@pytest.fixture
def site() -> Iterator[Path]:
    """The data folder of another user, before its first start."""
    with open_folder() as top:
        (top / "data").mkdir(mode=0o700)
        a_mailbox()
        yield give(top / "data")


@AS_ROOT
def test_what_root_imports_from_closed_folders_is_the_sites(site: Path) -> None:
    source = site.parent / "Maildir"
    (source / "cur").mkdir(parents=True)
    for number in range(60):
        (source / "cur" / f"17000000{number:02d}.m.host:2,S").write_bytes(b"Subject: x\n\n" + b"x\n" * 100_000)
    for place in [source, *source.rglob("*")]:
        give(place, THIRD_USER).chmod(0o700)
    done = process("import-mail", "ann@example.org", str(source), POPADMIN_DATA_DIR=str(site))
    assert (done.returncode, Message.objects.count()) == (0, 60)
    assert owners(site / "bodies") == {OTHER_USER}


@AS_ROOT
@pytest.mark.parametrize(
    "words",
    [
        ["deliver", "ann@example.org"],
        ["seed", "--domains", "1", "--mailboxes", "1", "--messages", "1"],
    ],
)
def test_what_root_delivers_or_seeds_is_the_sites(site: Path, words: list[str]) -> None:
    done = process(*words, stdin=b"Subject: x\n\nx\n", POPADMIN_DATA_DIR=str(site))
    assert (done.returncode, owners(site / "bodies")) == (0, {OTHER_USER})


@AS_ROOT
def test_what_root_repairs_sweeps_and_adopts_is_the_sites(site: Path) -> None:
    process("deliver", "ann@example.org", stdin=b"Subject: x\n\nx\n", POPADMIN_DATA_DIR=str(site))
    body_without_row(site)
    assert owners(site / "bodies") == {OTHER_USER, 0}
    assert process("fsck", "--repair", POPADMIN_DATA_DIR=str(site)).returncode == 0
    assert owners(site / "bodies") == {OTHER_USER}
    assert process("sweep", POPADMIN_DATA_DIR=str(site)).returncode == 0
    assert process("fsck", "--adopt", "ann@example.org", POPADMIN_DATA_DIR=str(site)).returncode == 0
    assert (owners(site / "bodies"), Message.objects.count()) == ({OTHER_USER}, 2)
