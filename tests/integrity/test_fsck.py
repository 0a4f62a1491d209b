"""fsck: names every kind of damage, mends what may be mended, and never destroys a row whose body is missing."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mailstore.bodies import layout
from mailstore.bodies.files import FileBodies
from mailstore.directory import devices
from mailstore.errors import Unavailable
from mailstore.file_owner import identity_of
from mailstore.integrity.fsck import Check, Finding
from mailstore.messages import recovery
from mailstore.models import Body, Device, EarlierStay, Mailbox, Message
from mailstore.policy import sortable_ids
from tests.bodies.second_user import AS_ROOT, give, open_folder
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"
LARGE = b"x" * 300_000 + b"\r\n"  # read whole only when asked to


@pytest.fixture
def store(tmp_path: Path) -> FileBodies:
    made = FileBodies(tmp_path / "bodies")
    made.prepare()
    return made


def stored(store: FileBodies, wire: bytes = b"Subject: x\r\n") -> Body:
    draft = store.begin()
    draft.write(wire)
    ref = draft.commit(len(wire))
    return Body.objects.create(key=ref.key, wire_octets=ref.wire_octets, octets=ref.octets, digest=ref.digest)


def file_of(folder: Path, key: str) -> Path:
    (path,) = folder.rglob(key)
    return path


def found(store: FileBodies, **how: bool) -> list[Finding]:
    return list(Check(store, **how).run())


def test_a_whole_site_has_nothing_wrong(store: FileBodies) -> None:
    box = a_mailbox()
    a_message(box, body=stored(store))
    devices.add(ANN, "Phone", actor=ACTOR, start="now")
    assert found(store, deep=True) == []


@pytest.mark.parametrize("repair", [False, True])
def test_a_missing_body_is_named_and_its_row_stays(store: FileBodies, tmp_path: Path, repair: bool) -> None:
    message = a_message(a_mailbox(), body=stored(store))
    file_of(tmp_path, message.body.key).unlink()
    (loss,) = found(store, repair=repair)
    assert (loss.kind, loss.subject, loss.mended) == ("lost", f"{ANN} {message.uidl}", False)
    assert message.body.key in loss.detail
    assert Message.objects.get() == message


def test_a_body_cut_short_is_a_loss_for_each_who_has_it(store: FileBodies, tmp_path: Path) -> None:
    body = stored(store)
    for address in (ANN, "bob@example.org"):
        a_message(a_mailbox(address), body=body)
    path = file_of(tmp_path, body.key)
    path.write_bytes(path.read_bytes()[:-1])
    assert [loss.subject.split()[0] for loss in found(store)] == [ANN, "bob@example.org"]


def test_a_changed_octet_in_a_large_body_is_found_by_a_deep_look(store: FileBodies, tmp_path: Path) -> None:
    body = stored(store, LARGE)
    a_message(a_mailbox(), body=body, octets=len(LARGE))
    with file_of(tmp_path, body.key).open("r+b") as stream:
        stream.seek(150_000)
        stream.write(b"y")
    assert found(store) == []
    assert [loss.kind for loss in found(store, deep=True)] == ["lost"]


# --- what lies in a body's place --------------------------------------------------------------------------------------


def a_folder(path: Path) -> None:
    path.mkdir()


def a_socket(path: Path) -> None:
    """Its name would be too long, but from within its folder."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("octets", [12, 300_002])
@pytest.mark.parametrize("put", [a_folder, a_socket, a_link_to_itself, os.mkfifo])
def test_what_lies_in_the_place_of_a_body_is_a_loss_and_no_end(
    store: FileBodies, tmp_path: Path, put: Callable[[Path], None], octets: int
) -> None:
    box = a_mailbox()
    _whole, lost, gone = [a_message(box, body=stored(store, b"x" * octets)) for _message in range(3)]
    place = file_of(tmp_path, lost.body.key)
    place.unlink()
    put(place)
    file_of(tmp_path, gone.body.key).unlink()
    Mailbox.objects.update(messages=7)
    for deep in (False, True):
        assert [finding.kind for finding in found(store, deep=deep)] == ["lost", "lost", "counter"]
    assert [finding.subject for finding in found(store)][:2] == [f"{ANN} {one.uidl}" for one in (lost, gone)]


@AS_ROOT
@pytest.mark.parametrize("octets", [12, 300_002])
def test_a_body_that_may_not_be_read_is_a_loss_and_no_end(octets: int) -> None:
    with open_folder() as folder:
        (folder / "bodies").mkdir()
        store = FileBodies(give(folder / "bodies"))
        store.prepare()
        box = a_mailbox()
        closed, lost = [a_message(box, body=stored(store, b"x" * octets)) for _message in range(2)]
        give(file_of(folder, closed.body.key), 0)
        file_of(folder, lost.body.key).unlink()
        with identity_of(str(folder / "bodies")):
            kinds = [(finding.kind, finding.subject.split()[-1]) for finding in found(store)]
        name = f"{closed.body.key[:5]}/{closed.body.key[-1]}/{closed.body.key}"
        assert kinds == [("foreign", name), ("lost", closed.uidl), ("lost", lost.uidl)]
        assert [(one.kind, one.mended) for one in found(store, repair=True)] == [("foreign", True), ("lost", False)]
        assert [finding.subject for finding in found(store)] == [f"{ANN} {lost.uidl}"]


# --- bodies without a row ---------------------------------------------------------------------------------------------


def old_litter(folder: Path) -> str:
    """A body of two hours ago that never got its row."""
    made = sortable_ids.new_id(int((time.time() - 7200) * 1000), os.urandom(sortable_ids.RANDOM_OCTETS))
    path = folder / "bodies" / layout.path(made)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left behind")
    return made


def test_a_body_without_a_row_is_litter_and_repair_clears_it(store: FileBodies, tmp_path: Path) -> None:
    kept = a_message(a_mailbox(), body=stored(store)).body.key
    key = old_litter(tmp_path)
    assert found(store) == [Finding("litter", key, "a body without a row")]
    assert [finding.mended for finding in found(store, repair=True)] == [True]
    assert (list(store.keys()), found(store)) == ([kept], [])


def test_a_body_of_a_delivery_under_way_is_left_alone(store: FileBodies) -> None:
    a_message(a_mailbox(), body=stored(store))
    draft = store.begin()
    draft.write(b"Subject: on its way\r\n")
    draft.commit(21)
    assert found(store, repair=True) == []
    assert len(list(store.keys())) == 2


def test_what_a_repair_takes_away_rests_in_the_quarantine(store: FileBodies, tmp_path: Path) -> None:
    a_message(a_mailbox(), body=stored(store))
    key = old_litter(tmp_path)
    found(store, repair=True)
    (body,) = store.quarantined()
    assert body.key == key
    assert file_of(tmp_path, key).read_bytes() == b"left behind"
    assert store.bring_back(body.name) == key
    assert (key in set(store.keys()), list(store.quarantined())) == (True, [])


def test_repair_touches_no_file_while_the_database_knows_no_body_at_all(store: FileBodies, tmp_path: Path) -> None:
    key = old_litter(tmp_path)
    assert [(finding.kind, finding.mended) for finding in found(store, repair=True)] == [
        ("refused", False),
        ("litter", False),
    ]
    assert list(store.keys()) == [key]


def test_repair_touches_no_file_beside_a_database_that_was_made_anew(store: FileBodies, tmp_path: Path) -> None:
    a_message(a_mailbox(), body=stored(store))
    keys = {old_litter(tmp_path) for _body in range(30)}
    draft = tmp_path / "bodies" / layout.draft(min(keys))
    draft.write_bytes(b"")
    os.utime(draft, (0, 0))
    Mailbox.objects.update(messages=7)
    done = found(store, repair=True)
    assert (done[0].kind, done[0].subject) == ("refused", "30 bodies")
    assert "fsck --repair --destroy 30 sets them aside" in done[0].detail
    assert [finding.mended for finding in done] == [False] * 32 + [True]  # the counter is no file
    assert draft.exists()
    assert keys < set(store.keys())


@pytest.mark.parametrize("named", [29, 31, 0])
def test_another_count_than_that_of_the_bodies_sets_none_aside(store: FileBodies, tmp_path: Path, named: int) -> None:
    a_message(a_mailbox(), body=stored(store))
    for _body in range(30):
        old_litter(tmp_path)
    assert not any(finding.mended for finding in found(store, repair=True, destroy=named))
    assert len(list(store.keys())) == 31


def test_the_count_of_the_bodies_sets_all_of_them_aside(store: FileBodies, tmp_path: Path) -> None:
    kept = a_message(a_mailbox(), body=stored(store)).body.key
    keys = {old_litter(tmp_path) for _body in range(30)}
    assert [finding.mended for finding in found(store, repair=True, destroy=30)] == [True] * 30
    assert list(store.keys()) == [kept]
    assert {body.key for body in store.quarantined()} == keys


def set_aside_beside_another_database(store: FileBodies) -> str:
    """A body of a message, as a repair leaves it whose database did not know it."""
    body = a_message(a_mailbox(), body=stored(store)).body
    assert store.set_aside([body.key]) == {body.key}
    return body.key


def test_mail_that_was_set_aside_beside_another_database_comes_back(store: FileBodies) -> None:
    key = set_aside_beside_another_database(store)
    assert [(one.kind, one.mended) for one in found(store)] == [("aside", False), ("lost", False)]
    assert [(one.kind, one.subject, one.mended) for one in found(store, repair=True)] == [("aside", key, True)]
    assert found(store, deep=True) == []


def test_a_whole_body_in_its_place_is_not_replaced_from_the_quarantine(store: FileBodies, tmp_path: Path) -> None:
    key = set_aside_beside_another_database(store)
    restored = tmp_path / "bodies" / layout.path(key)
    restored.write_bytes(file_of(tmp_path / "bodies" / layout.QUARANTINE, key).read_bytes())
    inode = restored.stat().st_ino
    assert found(store, repair=True) == []
    assert restored.stat().st_ino == inode


def test_a_folder_without_a_row_is_named_and_left(store: FileBodies, tmp_path: Path) -> None:
    a_message(a_mailbox(), body=stored(store))
    key = old_litter(tmp_path)
    file_of(tmp_path, key).unlink()
    (tmp_path / "bodies" / layout.path(key)).mkdir()
    assert found(store, repair=True) == [Finding("litter", key, "a body without a row")]


def test_an_old_draft_is_litter(store: FileBodies, tmp_path: Path) -> None:
    draft = FileBodies(tmp_path / "bodies", unnamed=False).begin()
    draft.write(LARGE)
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size > 100_000)
    assert found(store) == []
    os.utime(path, (0, 0))
    assert [finding.kind for finding in found(store)] == ["litter"]
    found(store, repair=True)
    assert not path.exists()


def test_counters_of_a_mailbox_are_mended_to_the_sums(store: FileBodies) -> None:
    box = a_mailbox()
    a_message(box, body=stored(store), octets=100)
    change = Mailbox.objects.get().change
    Mailbox.objects.update(messages=7, octets=70)
    (finding,) = found(store)
    assert (finding.kind, finding.subject) == ("counter", ANN)
    assert finding.detail == "says 7 messages, 70 octets; has 1 message, 100 octets"
    assert found(store, repair=True)[0].mended
    box.refresh_from_db()
    assert (box.messages, box.octets, box.change) == (1, 100, change + 1)
    assert found(store) == []


def test_counters_of_a_view_are_mended_to_the_sums(store: FileBodies) -> None:
    box = a_mailbox()
    a_message(box, body=stored(store), octets=100)
    devices.add(ANN, "Phone", actor=ACTOR, start="now")
    Device.objects.filter(name="Phone").update(hidden_messages=0, hidden_octets=0)
    (finding,) = found(store)
    assert (finding.kind, finding.subject) == ("counter", f"{ANN} Phone")
    found(store, repair=True)
    phone = Device.objects.get(name="Phone")
    assert (phone.hidden_messages, phone.hidden_octets) == (1, 100)
    assert found(store) == []


def test_a_body_that_no_message_has_is_handed_to_the_sweep(store: FileBodies) -> None:
    body = stored(store)
    assert [finding.kind for finding in found(store)] == ["unclaimed"]
    found(store, repair=True)
    body.refresh_from_db()
    assert body.unreferenced_at is not None
    assert found(store) == []


def test_a_store_that_is_away_is_not_a_thousand_losses(tmp_path: Path) -> None:
    a_message(a_mailbox())
    with pytest.raises(Unavailable):
        found(FileBodies(tmp_path / "elsewhere"))


def test_a_body_that_is_another_one_than_the_row_says_is_a_loss(store: FileBodies) -> None:
    body = stored(store)
    a_message(a_mailbox(), body=body)
    Body.objects.update(digest=bytes(16))
    assert [finding.kind for finding in found(store)] == ["lost"]


@pytest.mark.parametrize("repair", [False, True])
def test_mail_of_a_mailbox_that_is_gone_is_named_and_let_go(store: FileBodies, repair: bool) -> None:
    box = a_mailbox()
    message = a_message(box, body=stored(store))
    box.user.delete()
    (orphan,) = found(store, repair=repair)
    assert (orphan.kind, orphan.subject, orphan.mended) == ("orphan", message.uidl, repair)
    assert Message.objects.exists() is not repair
    assert (Body.objects.get().unreferenced_at is not None) is repair


@pytest.mark.parametrize("repair", [False, True])
@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"message_id": 0}, "its message is gone"),
        ({"removed": 100}, "it ends after the next one of its message began"),
        ({"added": 4, "removed": 5}, "it overlaps another one of its message"),
        ({"mailbox_id": None}, "its message is in another mailbox"),
    ],
)
def test_an_earlier_stay_that_cannot_have_been_is_named_and_taken_away(
    store: FileBodies, change: dict[str, int | None], detail: str, repair: bool
) -> None:
    a_message(a_mailbox(), body=stored(store))
    for _time in range(2):
        recovery.remove(ANN, list(Message.objects.values_list("pk", flat=True)), actor=ACTOR)
        recovery.restore(ANN, recovery.ALL, actor=ACTOR)
    assert list(EarlierStay.objects.order_by("pk").values_list("added", "removed")) == [(1, 2), (3, 4)]
    assert found(store) == []
    other = a_mailbox("bob@example.org")
    first = EarlierStay.objects.order_by("pk")[0]
    if "added" in change:
        EarlierStay.objects.filter(pk__gt=first.pk).update(removed=5)
        Message.objects.update(added=6)
    EarlierStay.objects.filter(pk=first.pk).update(**({"mailbox_id": other.pk} if "mailbox_id" in change else change))
    (wrong,) = found(store, repair=repair)
    assert (wrong.kind, wrong.detail, wrong.mended) == ("stay", f"an earlier stay: {detail}", repair)
    assert EarlierStay.objects.filter(pk=first.pk).exists() is not repair
    assert found(store) == ([] if repair else [wrong])
