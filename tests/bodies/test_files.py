"""The file store: the suite of all stores, what lies on the disk, and what happens when the disk does not obey."""

from __future__ import annotations

import gc
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xxhash

from mailstore.bodies import from_url, layout, open_and_wait, site_store, stored_body
from mailstore.bodies.drafts import FileDraft
from mailstore.bodies.files import FOLDER_MILLISECONDS, FileBodies, fresh_key
from mailstore.errors import BodyLost, StorageFull, Unavailable
from mailstore.file_owner import STORE_MARKER
from mailstore.policy import sortable_ids
from mailstore.ports import BodyRef, BodyStore
from tests import listeners
from tests.suites.bodies import BORDER, LARGE, SMALL, BodyStoreSuite, Spoil, stored

ROOT = os.geteuid() == 0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "bodies"


@pytest.fixture
def empty(root: Path) -> BodyStore:
    return from_url(f"file:{root}")


@pytest.fixture
def store(empty: BodyStore) -> BodyStore:
    empty.prepare()
    return empty


@pytest.fixture
def named(root: Path) -> FileBodies:
    """The same on a file system where a draft has to have a name."""
    made = FileBodies(root, unnamed=False)
    made.prepare()
    return made


def file_of(root: Path, key: str) -> Path:
    (found,) = root.glob(f"*/*/{key}")
    return found


def test_a_copy_without_the_empty_folder_of_drafts_takes_mail_again(store: BodyStore, root: Path) -> None:
    (root / layout.DRAFTS).rmdir()
    assert store.prepared()
    assert (root / layout.DRAFTS).stat().st_mode & 0o777 == 0o700
    stored(store, SMALL)


def test_a_folder_without_the_marker_is_left_as_it_is(root: Path) -> None:
    """It may be the mount point of a disk that is away."""
    root.mkdir()
    assert not from_url(f"file:{root}").prepared()
    assert list(root.iterdir()) == []


def descriptors() -> int:
    gc.collect()  # those of earlier tests are closed now, and not in the middle of this one
    return len(list(Path("/proc/self/fd").iterdir()))


def sealed(wire: bytes) -> bytes:
    return wire + stored_body.seal(xxhash.xxh3_128_digest(wire), len(wire))


class TestFileBodies(BodyStoreSuite):
    @pytest.fixture
    def spoil(self, root: Path) -> Spoil:
        def replace(key: str, wire: bytes | None) -> None:
            file = file_of(root, key)
            if wire is None:
                file.unlink()
            else:
                file.write_bytes(sealed(wire))

        return replace


class TestNamedDrafts(TestFileBodies):
    @pytest.fixture
    def empty(self, root: Path) -> FileBodies:
        return FileBodies(root, unnamed=False)


# --- what lies on the disk --------------------------------------------------------------------------------------------


def test_nobody_else_can_read_the_mail(root: Path, store: FileBodies, named: FileBodies) -> None:
    stored(store, LARGE)
    stored(named, LARGE)
    draft = named.begin()
    draft.write(LARGE)
    for place in [root, *root.rglob("*")]:
        assert stat.S_IMODE(place.stat().st_mode) == (0o700 if place.is_dir() else 0o600)


def test_a_body_lies_two_folders_deep_under_its_time(root: Path, store: FileBodies) -> None:
    ref = stored(store, SMALL)
    file = root / ref.key[:5] / ref.key[-1] / ref.key
    assert file.read_bytes() == sealed(SMALL)
    assert file.stat().st_nlink == 1


def test_a_commit_leaves_no_draft(root: Path, named: FileBodies) -> None:
    stored(named, SMALL)
    stored(named, LARGE)
    assert list((root / "tmp").iterdir()) == []


def test_a_small_draft_that_is_given_up_never_reaches_the_disk(root: Path, named: FileBodies) -> None:
    draft = named.begin()
    draft.write(b"x" * BORDER)
    assert list((root / "tmp").iterdir()) == []
    draft.write(b"x")
    assert len(list((root / "tmp").iterdir())) == 1
    draft.abort()
    assert list((root / "tmp").iterdir()) == []


def test_a_draft_that_nobody_ends_leaves_nothing_where_it_needs_no_name(root: Path, store: FileBodies) -> None:
    before = descriptors()
    draft = store.begin()
    draft.write(LARGE)
    draft.finish()
    assert descriptors() == before + 1
    assert [path for path in root.rglob("*") if path.name != STORE_MARKER] == [root / "tmp"]
    draft.abort()
    assert descriptors() == before


def test_what_comes_together_lies_together_and_all_folders_have_their_turn(root: Path, store: FileBodies) -> None:
    now = [file_of(root, stored(store, SMALL).key).parent for _ in range(10)]
    assert len(set(now)) <= 2
    moments = range(0, FOLDER_MILLISECONDS * layout.FOLDERS, FOLDER_MILLISECONDS)
    assert len({layout.folders(fresh_key(moment))[1] for moment in moments}) == layout.FOLDERS
    assert len({fresh_key(0) for _ in range(1000)}) == 1000


def test_the_descriptor_of_a_large_body_begins_with_it(store: FileBodies) -> None:
    body = open_and_wait(store, stored(store, LARGE))
    descriptor = body.descriptor()
    assert descriptor is not None
    assert os.pread(descriptor, len(LARGE), 0) == LARGE
    body.close()


def test_a_small_body_holds_no_descriptor(store: FileBodies) -> None:
    refs = [stored(store, SMALL) for _ in range(10)]
    before = descriptors()
    bodies = [open_and_wait(store, ref) for ref in refs]
    assert descriptors() == before
    assert {body.descriptor() for body in bodies} == {None}


def test_refused_bodies_hold_no_descriptor(root: Path, store: FileBodies) -> None:
    ref = stored(store, LARGE)
    file_of(root, ref.key).write_bytes(LARGE)
    before = descriptors()
    for _ in range(5):
        with pytest.raises(BodyLost):
            open_and_wait(store, ref)
    assert descriptors() == before


def test_folders_of_past_periods_go_with_their_last_body(root: Path, store: FileBodies) -> None:
    ref = stored(store, SMALL)
    old = [sortable_ids.new_id(86_400_000 * 20_000, bytes([0] * 9 + [last])) for last in (1, 2)]
    period = root / old[0][:5]
    for key in old:
        (period / key[-1]).mkdir(parents=True)
        shutil.copy(file_of(root, ref.key), period / key[-1] / key)
    store.remove(old[0])
    assert [path.name for path in period.iterdir()] == [old[1][-1]]
    store.remove(old[1])
    assert not period.exists()


def test_a_folder_of_today_stays_for_the_next_body(root: Path, store: FileBodies) -> None:
    ref = stored(store, SMALL)
    folder = file_of(root, ref.key).parent
    store.remove(ref.key)
    assert folder.is_dir()


def test_strangers_in_the_folders_are_not_bodies(root: Path, store: FileBodies) -> None:
    ref = stored(store, SMALL)
    (root / "lost+found").mkdir()
    (root / "README").write_text("x")
    (file_of(root, ref.key).parent / "notes.txt").write_text("x")
    (root / "tmp" / "notes.txt").write_text("x")
    assert list(store.keys()) == [ref.key]
    assert list(store.litter(0)) == []


@pytest.mark.req("P-064")
@pytest.mark.parametrize("wire", [SMALL, LARGE], ids=len)
def test_files_that_were_swapped_are_noticed(root: Path, store: FileBodies, wire: bytes) -> None:
    first, second = stored(store, wire), stored(store, wire[:-3] + b"!\r\n")
    one, two = file_of(root, first.key), file_of(root, second.key)
    aside = root / "aside"
    one.rename(aside)
    two.rename(one)
    aside.rename(two)
    for ref in (first, second):
        with pytest.raises(BodyLost):
            open_and_wait(store, ref)


@pytest.mark.req("P-062")
@pytest.mark.parametrize("wire", [SMALL, LARGE], ids=len)
def test_a_file_cut_short_empty_or_with_more_behind_it_is_lost(root: Path, store: FileBodies, wire: bytes) -> None:
    ref = stored(store, wire)
    file = file_of(root, ref.key)
    whole = file.read_bytes()
    for damaged in (
        whole[:-1],
        whole[: len(wire)],
        whole[: len(wire) // 2],
        b"",
        whole + b"\0",
        whole[:-32] + bytes(32),
    ):
        file.write_bytes(damaged)
        with pytest.raises(BodyLost):
            open_and_wait(store, ref)


def test_one_wrong_octet_is_noticed_at_once_in_a_small_body_and_by_verify_in_a_large(
    root: Path, store: FileBodies
) -> None:
    small, large = stored(store, SMALL), stored(store, LARGE)
    for ref in (small, large):
        with file_of(root, ref.key).open("r+b") as file:
            file.seek(3)
            file.write(b"\0")
    with pytest.raises(BodyLost):
        open_and_wait(store, small)
    with pytest.raises(BodyLost):
        store.verify(large)


@pytest.mark.req("P-063")
def test_a_file_that_shrinks_while_it_is_read_never_ends_early(root: Path, store: FileBodies) -> None:
    ref = stored(store, LARGE)
    body = open_and_wait(store, ref)
    os.truncate(file_of(root, ref.key), 1000)
    with pytest.raises(BodyLost):
        body.read(500, 1000)
    body.close()


@pytest.mark.parametrize("unnamed", [True, False])
def test_what_is_there_is_never_replaced(root: Path, store: FileBodies, unnamed: bool) -> None:
    draft = FileBodies(root, unnamed=unnamed).begin()
    draft.write(LARGE)
    place = root / layout.path(draft.key)
    place.parent.mkdir(parents=True)
    place.write_text("older")
    with pytest.raises(Unavailable):
        draft.commit(1)
    assert place.read_text() == "older"
    assert list((root / "tmp").iterdir()) == []


# --- a store that is away ---------------------------------------------------------------------------------------------


def everything(store: FileBodies, ref: BodyRef) -> list[object]:
    return [
        lambda: stored(store, SMALL),
        lambda: stored(store, LARGE),
        lambda: open_and_wait(store, ref),
        lambda: store.verify(ref),
        lambda: list(store.keys()),
        lambda: list(store.litter(0)),
        store.probe,
    ]


def test_an_absent_disk_is_no_loss_and_gets_no_mail(root: Path, store: FileBodies) -> None:
    ref = stored(store, SMALL)
    away = root.rename(root.with_name("away"))
    root.mkdir()  # the mount point
    for call in everything(store, ref):
        with pytest.raises(Unavailable):
            call()
    assert list(root.iterdir()) == []
    root.rmdir()
    for call in everything(store, ref):
        with pytest.raises(Unavailable):
            call()
    root.write_text("a file")
    for call in everything(store, ref):
        with pytest.raises(Unavailable):
            call()
    root.unlink()
    away.rename(root)
    store.verify(ref)
    assert list(store.keys()) == [ref.key]
    stored(store, SMALL)


def draft_beside(store: FileBodies, key: str) -> FileDraft:
    """Return a draft that will lie in the same folder as `key`."""
    while True:
        draft = store.begin()
        if layout.folders(draft.key) == layout.folders(key):
            draft.write(LARGE)
            return draft


def test_a_store_made_anew_is_used_without_a_restart(root: Path, store: FileBodies) -> None:
    ref = stored(store, SMALL)
    first, second = draft_beside(store, ref.key), draft_beside(store, ref.key)
    shutil.rmtree(root)
    store.prepare()
    with pytest.raises(Unavailable):  # the folder was there a moment ago; the MTA tries again
        first.commit(1)
    store.verify(second.commit(1))


def test_preparing_twice_changes_nothing(store: FileBodies) -> None:
    ref = stored(store, SMALL)
    store.prepare()
    store.verify(ref)


def test_preparing_where_it_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unavailable):
        from_url(f"file:{tmp_path}/file/bodies").prepare()


@pytest.mark.parametrize("url", ["", "file:", "file:relative", "s3://bucket/x", "/var/mail", "file//x"])
def test_a_url_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not a mail store"):
        from_url(url)


def test_a_site_has_one_store_as_long_as_its_url_stays(tmp_path: Path, settings: Any) -> None:
    settings.MAIL_STORE_URL = f"file:{tmp_path}/bodies"
    first = site_store()
    assert site_store() is first
    settings.MAIL_STORE_URL = f"file:{tmp_path}/elsewhere"
    assert site_store().place() == f"{tmp_path}/elsewhere"


# --- a disk that is full ----------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[FileBodies]:
    """A store on a file system of 256 KB; mounting one needs root."""
    disk = tmp_path / "tiny"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if not ROOT or subprocess.run(mount, check=False, capture_output=True).returncode:
        if os.environ.get("CI") == "true":
            pytest.fail("a full disk needs a mount of its own, and this user may not mount")
        pytest.skip("this user may not mount a small disk to fill")
    try:
        made = FileBodies(disk / "bodies")
        made.prepare()
        yield made
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("chunk", [20_000, 400_000])
def test_a_full_disk_refuses_and_keeps_no_half_of_anything(tiny: FileBodies, tmp_path: Path, chunk: int) -> None:
    kept = []

    def fill() -> None:
        for _ in range(100):
            kept.append(stored(tiny, b"x" * chunk))

    with pytest.raises(StorageFull):
        fill()
    assert sorted(tiny.keys()) == sorted(ref.key for ref in kept)
    assert list((tmp_path / "tiny" / "bodies" / "tmp").iterdir()) == []
    for ref in kept:
        tiny.verify(ref)
    with pytest.raises(StorageFull):
        tiny.probe()


def test_a_disk_that_fills_while_a_large_body_is_written_is_given_back(tiny: FileBodies, tmp_path: Path) -> None:
    draft = tiny.begin()

    def fill() -> None:
        for _ in range(100):
            draft.write(b"x" * 60_000)

    with pytest.raises(StorageFull):
        fill()
    assert list((tmp_path / "tiny" / "bodies" / "tmp").iterdir()) == []
    with pytest.raises(Unavailable):
        draft.commit(1)
    stored(tiny, b"x" * 60_000)


# --- a power cut --------------------------------------------------------------------------------------------------

ONE = """
import sys
from pathlib import Path
from mailstore.bodies.files import FileBodies
draft = FileBodies(Path(sys.argv[1]), unnamed=sys.argv[3] == "unnamed").begin()
draft.write(b"x" * int(sys.argv[2]))
print(draft.commit(1).key, flush=True)
"""


@pytest.mark.real
@pytest.mark.parametrize("octets", [1000, 300_000])
@pytest.mark.parametrize("unnamed", ["unnamed", "named"])
def test_a_body_is_told_only_after_octets_names_and_folders_were_synced(
    root: Path, store: FileBodies, tmp_path: Path, octets: int, unnamed: str
) -> None:
    trace = tmp_path / "trace"
    strace = [listeners.program("strace"), "-f", "-y", "-e", "trace=write,fsync,linkat,mkdir", "-o", str(trace)]
    run = subprocess.run(
        [*strace, sys.executable, "-c", ONE, str(root), str(octets), unnamed],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    key = run.stdout.strip()
    folder = file_of(root, key).parent
    calls = trace.read_text().splitlines()

    def last(name: str, about: str) -> int:
        return max(index for index, call in enumerate(calls) if f" {name}(" in call and about in call)

    draft = f"<{root}/tmp/"
    logged = last("write", f', "{key}')
    assert last("write", draft) < last("fsync", draft) < last("linkat", f'<{folder}>, "{key}"')
    assert last("linkat", f'<{folder}>, "{key}"') < last("fsync", f"<{folder}>") < logged
    assert last("mkdir", f'"{folder}"') < last("fsync", f"<{folder.parent}>") < logged
    assert last("mkdir", f'"{folder.parent}"') < last("fsync", f"<{root}>") < logged


# --- a process that dies ----------------------------------------------------------------------------------------------

ENDLESS = """
import sys
from mailstore.bodies import from_url
store = from_url(sys.argv[1])
while True:
    draft = store.begin()
    for _ in range(int(sys.argv[2])):
        draft.write(b"x" * 70_000)
    ref = draft.commit(1)
    print(ref.key, ref.wire_octets, ref.digest.hex(), flush=True)
"""


@pytest.mark.parametrize("chunks", [1, 5])
@pytest.mark.parametrize("after", [0, 1, 2, 5, 11])
def test_after_a_kill_what_was_committed_is_whole_and_the_rest_is_litter(
    root: Path, store: FileBodies, after: int, chunks: int
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, f"file:{root}", str(chunks)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(after)]
        child.kill()
        lines += child.stdout.readlines()
    refs = {}
    for line in lines:
        if line.endswith("\n"):
            key, wire_octets, digest = line.split()
            refs[key] = BodyRef(key, int(wire_octets), 1, bytes.fromhex(digest))
    for ref in refs.values():
        store.verify(ref)
    unnamed = set(store.keys()) - set(refs)
    assert len(unnamed) <= 1  # durable, but killed before it could say so
    expected = 70_000 * chunks
    for key in unnamed:
        digest = xxhash.xxh3_128_digest(b"x" * expected)
        store.verify(BodyRef(key, expected, 1, digest))
    litter = list(store.litter(0))
    assert len(litter) <= 1
    for name in litter:
        store.remove(name)
    for ref in refs.values():
        store.verify(ref)
