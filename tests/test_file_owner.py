"""Root and a store of another user: what root writes there is that user's, and root stays root elsewhere."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstore.bodies.files import FileBodies
from mailstore.conf import Tls
from mailstore.errors import Unavailable
from mailstore.file_owner import identity_of
from mailstore.listener.self_signed import ensure_pair
from tests.bodies.second_user import AS_ROOT, OTHER_USER, THIRD_USER, give, open_folder, owners
from tests.suites.bodies import LARGE, SMALL, stored

pytestmark = AS_ROOT


@pytest.fixture
def root() -> Iterator[Path]:
    with open_folder() as folder:
        (folder / "bodies").mkdir(mode=0o700)
        yield give(folder / "bodies")


@pytest.mark.parametrize("unnamed", [True, False])
def test_what_root_puts_into_a_store_belongs_to_the_owner_of_the_store(root: Path, unnamed: bool) -> None:
    store = FileBodies(root, unnamed=unnamed)
    store.prepare()
    store.set_store_id("x")
    refs = [stored(store, wire) for wire in (SMALL, LARGE, SMALL)]
    store.set_aside([refs[0].key])
    store.remove(refs[1].key)
    begun = store.begin()
    begun.write(LARGE)
    assert owners(root) == {OTHER_USER}
    begun.abort()
    (body,) = store.quarantined()
    store.bring_back(body.name)
    assert owners(root) == {OTHER_USER}
    store.verify(refs[0])


def test_a_store_that_root_makes_belongs_to_the_owner_of_the_folder_it_is_made_in(root: Path) -> None:
    FileBodies(root / "made" / "bodies").prepare()
    assert owners(root) == {OTHER_USER}


def test_a_store_on_a_mounted_disk_whose_folder_is_roots_belongs_to_the_owner_of_its_marker(root: Path) -> None:
    store = FileBodies(root)
    store.prepare()
    give(root, 0).chmod(0o777)
    stored(store, SMALL)
    assert owners(root) - {root.stat().st_uid} == {OTHER_USER}
    assert foreign(store) == []


def test_a_certificate_that_root_makes_belongs_to_the_owner_of_the_data_folder(root: Path) -> None:
    ensure_pair(Tls(root / "tls" / "cert.pem", root / "tls" / "key.pem", None, made_below=root), "mail.example.test")
    assert (owners(root), (root / "tls" / "key.pem").is_file()) == ({OTHER_USER}, True)


def test_root_reads_folders_that_are_closed_to_the_owner_of_the_store(root: Path) -> None:
    closed = root.parent / "closed"
    closed.mkdir(mode=0o700)
    (give(closed, THIRD_USER) / "message").write_bytes(SMALL)
    store = FileBodies(root)
    store.prepare()
    draft = store.begin()
    for _part in range(200):
        draft.write((closed / "message").read_bytes() * 100)
    draft.commit(len(SMALL))
    with identity_of(str(root)), pytest.raises(PermissionError):
        (closed / "message").read_bytes()
    assert (closed / "message").read_bytes() == SMALL


def test_an_identity_within_another_ends_with_itself(root: Path) -> None:
    with identity_of(str(root)):
        with identity_of(str(root)):
            pass
        (root / "within").touch()
    (root / "behind").touch()
    assert [(root / name).stat().st_uid for name in ("within", "behind")] == [OTHER_USER, 0]


def test_the_identity_is_that_of_one_thread(root: Path) -> None:
    entered, over = threading.Event(), threading.Event()

    def write() -> None:
        with identity_of(str(root)):
            entered.set()
            over.wait(10)

    other = threading.Thread(target=write)
    other.start()
    assert entered.wait(10)
    (root.parent / "mine").touch()
    over.set()
    other.join()
    assert (root.parent / "mine").stat().st_uid == 0


def test_a_process_still_hears_of_its_parents_death_afterwards(root: Path) -> None:
    libc, number = ctypes.CDLL(None), ctypes.c_int()
    libc.prctl(1, int(signal.SIGUSR1), 0, 0, 0)
    try:
        with identity_of(str(root)):
            pass
        libc.prctl(2, ctypes.byref(number), 0, 0, 0)
        assert number.value == signal.SIGUSR1
    finally:
        libc.prctl(1, 0, 0, 0, 0)


def test_another_user_is_told_whose_the_store_is(root: Path) -> None:
    FileBodies(root).prepare()
    (root.parent / "elsewhere").mkdir()
    give(root.parent / "elsewhere", THIRD_USER)
    with (
        identity_of(str(root.parent / "elsewhere")),
        pytest.raises(Unavailable, match="belongs to nobody: run this as nobody, or as root"),
    ):
        FileBodies(root).require_mounted()


# --- files of others that are there already ---------------------------------------------------------------------------


@pytest.fixture
def store(root: Path) -> FileBodies:
    made = FileBodies(root)
    made.prepare()
    return made


def foreign(store: FileBodies) -> list[str]:
    return [each.name for _count, found in store.foreign() for each in found]


def test_files_of_others_and_files_closed_to_their_owner_are_found_and_mended(root: Path, store: FileBodies) -> None:
    refs = [stored(store, SMALL) for _body in range(3)]
    files = [next(root.rglob(ref.key)) for ref in refs]
    assert foreign(store) == []
    give(files[0], 0)
    give(files[1].parent, 0)
    files[2].chmod(0)
    wrong = sorted({str(path.relative_to(root)) for path in (files[0], files[1].parent, files[2])})
    assert sorted(foreign(store)) == wrong
    for _count, found in list(store.foreign()):
        assert all(store.mend(each) for each in found)
    assert (foreign(store), owners(root)) == ([], {OTHER_USER})
    assert files[2].stat().st_mode & 0o777 == 0o600


def test_who_is_not_root_is_told_what_to_do(root: Path, store: FileBodies) -> None:
    give(root / "tmp", 0)
    ((each,),) = [found for _count, found in store.foreign() if found]
    assert each.detail == "belongs to root, not to nobody, who owns the store"
    assert each.remedy == f"as root, run `fsck --repair`, or `chown -R nobody: {root}`"
    with identity_of(str(root)):
        assert not store.mend(each)
    assert (root / "tmp").stat().st_uid == 0


def test_a_file_that_a_link_brought_into_the_store_is_never_given_away(root: Path, store: FileBodies) -> None:
    secret = root.parent / "secret"
    secret.write_text("root's")
    os.link(secret, root / "tmp" / "linked")
    (root / "00000").symlink_to(root.parent)
    ((each,),) = [found for _count, found in store.foreign() if found]
    assert (each.name, store.mend(each)) == ("tmp/linked", False)
    assert not store.mend(each._replace(name="00000/secret"))
    assert secret.stat().st_uid == 0


def test_a_folder_that_cannot_be_listed_is_named(root: Path, store: FileBodies) -> None:
    give(root / "tmp", 0).chmod(0o700)
    with identity_of(str(root)):
        assert foreign(store) == ["tmp"]
        assert list(store.litter(0)) == []
