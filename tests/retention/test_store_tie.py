"""A store and its database know each other by an id that stands in both."""

from __future__ import annotations

import os
import smtplib
import time
from pathlib import Path

import pytest

from mailstore.bodies import layout
from mailstore.bodies.files import FileBodies
from mailstore.integrity.fsck import Check
from mailstore.models import Body, StoreTie
from mailstore.policy import sortable_ids
from mailstore.retention import store_tie, sweep
from tests.listeners import daemon
from tests.site.rows import a_mailbox, a_message
from tests.suites.bodies import SMALL, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(tmp_path: Path) -> FileBodies:
    made = FileBodies(tmp_path / "bodies")
    made.prepare()
    return made


def a_body_with_a_message(store: FileBodies) -> None:
    ref = stored(store, SMALL)
    row = Body.objects.create(key=ref.key, wire_octets=ref.wire_octets, octets=ref.octets, digest=ref.digest)
    a_message(a_mailbox(), body=row)


def unknown_bodies(folder: Path, count: int) -> None:
    for _body in range(count):
        key = sortable_ids.new_id(int((time.time() - 7200) * 1000), os.urandom(sortable_ids.RANDOM_OCTETS))
        (folder / "bodies" / layout.path(key)).parent.mkdir(parents=True, exist_ok=True)
        (folder / "bodies" / layout.path(key)).write_bytes(b"")


def database_id() -> str | None:
    return StoreTie.objects.values_list("store_id", flat=True).first()


def kinds(store: FileBodies) -> list[str]:
    return [finding.kind for finding in Check(store).run()]


def test_a_sweep_ties_a_new_store_and_leaves_it_tied(store: FileBodies) -> None:
    sweep.run(store)
    first = store.store_id()
    assert first is not None
    assert first == database_id()
    sweep.run(store)
    assert (store.store_id(), database_id()) == (first, first)


def test_a_store_of_before_there_were_ids_is_tied_by_what_it_holds(store: FileBodies) -> None:
    a_body_with_a_message(store)
    assert store_tie.settle(store) is None
    assert store.store_id() == database_id()


def test_a_database_of_before_its_store_was_tied_is_tied_again(store: FileBodies) -> None:
    a_body_with_a_message(store)
    store.set_store_id("of-today")
    assert store_tie.settle(store) is None
    assert database_id() == "of-today"
    assert kinds(store) == []


def test_a_store_that_was_brought_back_without_its_id_gets_that_of_the_database(store: FileBodies) -> None:
    a_body_with_a_message(store)
    StoreTie.objects.create(pk=1, store_id="of-today")
    assert store_tie.settle(store) is None
    assert store.store_id() == "of-today"


def test_a_new_database_beside_an_old_store_is_told_and_never_tied(store: FileBodies, tmp_path: Path) -> None:
    store.set_store_id("of-old")
    unknown_bodies(tmp_path, 3)
    a_body_with_a_message(store)
    sweep.run(store)
    assert database_id() is None
    (finding,) = [finding for finding in Check(store).run() if finding.kind == "store"]
    assert "this database knows 1 of its bodies, not 3" in finding.detail


def test_a_new_database_is_not_tied_to_a_store_without_an_id_that_it_does_not_know(
    store: FileBodies, tmp_path: Path
) -> None:
    unknown_bodies(tmp_path, 3)
    assert store_tie.settle(store) is None
    assert (store.store_id(), database_id()) == (None, None)


def test_the_store_of_another_database_is_told_and_repaired_only_on_demand(store: FileBodies, tmp_path: Path) -> None:
    for _message in range(9):
        a_body_with_a_message(store)
    unknown_bodies(tmp_path, 1)
    StoreTie.objects.create(pk=1, store_id="ours")
    assert kinds(store) == ["litter"]
    store.set_store_id("theirs")
    assert kinds(store) == ["store", "litter"]
    findings = list(Check(store, repair=True).run())
    assert [(finding.kind, finding.mended) for finding in findings] == [
        ("store", False),
        ("refused", False),
        ("litter", False),
    ]
    assert [finding.mended for finding in Check(store, repair=True, destroy=1).run()] == [False, True]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("database_id", "warned"), [("ours", True), ("theirs", False), (None, True)])
def test_lmtpd_says_at_its_start_that_the_store_is_another_databases(
    store: FileBodies, tmp_path: Path, database_id: str | None, warned: bool
) -> None:
    store.set_store_id("theirs")
    if database_id is not None:
        StoreTie.objects.create(pk=1, store_id=database_id)
    with daemon("lmtpd", POPADMIN_DATA_DIR=str(tmp_path)) as lmtpd:
        with smtplib.LMTP(*lmtpd.address) as client:  # its recipient is asked for behind the store's id
            client.ehlo("client.example")
            client.mail("sender@example.com")
            assert client.rcpt("ann@example.org")[0] == 550
        if warned:
            lmtpd.logged("the body store belongs to another database")
    assert any("another database" in line for line in lmtpd.log()) is warned
