"""What every body store must do; a test module subclasses BodyStoreSuite and provides the fixtures.

`empty` is a store that nobody prepared yet; `store` is the same one, prepared.

`spoil(key, wire)` of the fixture `spoil` replaces what is at rest under a key by other octets, whole and well-formed
as the store would have written them, or by nothing when `wire` is None.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from mailstore.bodies import open_and_wait
from mailstore.errors import BodyLost, TryAgain, Unavailable
from mailstore.policy import sortable_ids
from mailstore.ports import BodyRef, BodyStore

Spoil = Callable[[str, bytes | None], None]

SMALL = b"Subject: small\r\n\r\n..dot\r\n"
LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcdef" * 40_000 + b"\r\n"
BORDER = 128 * 1024  # where the file store changes its ways
WIRES = [b"", b"\r\n", SMALL, LARGE, b"x" * (BORDER - 1), b"x" * BORDER, b"x" * (BORDER + 1)]
NOT_KEYS = [
    "",
    ".",
    "..",
    "../../etc/passwd",
    "tmp",
    "tmp/",
    "tmp/../x",
    "a/b",
    "x" * 26 + "/",
    "\0" * 26,
    "I" * 26,
    "z" * 26,
]


def stored(store: BodyStore, *chunks: bytes) -> BodyRef:
    draft = store.begin()
    for chunk in chunks:
        draft.write(chunk)
    return draft.commit(sum(map(len, chunks)))


class BodyStoreSuite:
    @pytest.fixture
    def store(self, empty: BodyStore) -> BodyStore:
        empty.prepare()
        return empty

    def test_a_store_that_nobody_prepared_takes_and_gives_nothing(self, empty: BodyStore) -> None:
        assert not empty.prepared()
        assert empty.place()
        calls: list[Callable[[], object]] = [
            lambda: stored(empty, LARGE),
            lambda: open_and_wait(empty, BodyRef(sortable_ids.new_id(0, bytes(10)), 1, 1, bytes(16))),
            lambda: list(empty.keys()),
            lambda: list(empty.litter(0)),
            lambda: list(empty.quarantined()),
            lambda: list(empty.foreign()),
            lambda: empty.require_usable([]),
            empty.probe,
        ]
        for call in calls:
            with pytest.raises(Unavailable):
                call()

    def test_preparing_may_be_repeated_and_harms_no_body(self, store: BodyStore) -> None:
        ref = stored(store, SMALL)
        store.prepare()
        assert store.prepared()
        store.verify(ref)

    def test_an_open_is_answered_once(self, store: BodyStore) -> None:
        answers: list[object] = []
        ref = stored(store, SMALL)
        store.open(ref, answers.append)
        store.open(ref._replace(digest=bytes(16)), answers.append)
        body, refusal = answers
        assert body.read(0, len(SMALL)) == SMALL
        assert isinstance(refusal, BodyLost)

    @pytest.mark.parametrize("wire", WIRES, ids=len)
    def test_what_was_stored_is_read_back(self, store: BodyStore, wire: bytes) -> None:
        ref = stored(store, wire)
        body = open_and_wait(store, ref)
        assert body.wire_octets == ref.wire_octets == len(wire)
        assert body.read(0, len(wire) + 100) == wire
        body.close()
        store.verify(ref)

    @pytest.mark.parametrize("wire", [SMALL, LARGE], ids=len)
    def test_any_part_can_be_read_and_nothing_beyond_the_end(self, store: BodyStore, wire: bytes) -> None:
        body = open_and_wait(store, stored(store, wire))
        for offset, count in [(0, 1), (5, 10), (len(wire) - 1, 1), (len(wire) - 1, 50), (len(wire), 1), (0, 0)]:
            assert body.read(offset, count) == wire[offset : offset + count]
        body.close()

    @pytest.mark.parametrize("chunk", [1, 1000, BORDER - 1, BORDER, BORDER + 1])
    def test_chunks_of_any_size_make_one_body(self, store: BodyStore, chunk: int) -> None:
        wire = LARGE if chunk > 1 else SMALL
        ref = stored(store, *[wire[start : start + chunk] for start in range(0, len(wire), chunk)])
        assert ref.digest == stored(store, wire).digest
        assert open_and_wait(store, ref).read(0, len(wire)) == wire

    @pytest.mark.parametrize("wire", [SMALL, LARGE, b"\0\r\n", LARGE[:BORDER] + b"\0" + LARGE[BORDER:]], ids=len)
    def test_a_store_tells_which_bodies_hold_nul(self, store: BodyStore, wire: bytes) -> None:
        ref = stored(store, wire[:10], wire[10:])
        assert ref.has_nul is (b"\0" in wire)
        assert store.verify(ref) is ref.has_nul
        assert store.examine(ref.key)[0].has_nul is ref.has_nul

    def test_the_unstuffed_length_is_kept_as_it_was_told(self, store: BodyStore) -> None:
        draft = store.begin()
        draft.write(SMALL)
        assert draft.commit(len(SMALL) - 1).octets == len(SMALL) - 1

    @pytest.mark.req("P-082")
    def test_the_same_octets_twice_are_two_bodies(self, store: BodyStore) -> None:
        first, second = stored(store, SMALL), stored(store, SMALL)
        assert first.key != second.key
        assert set(store.keys()) == {first.key, second.key}

    @pytest.mark.req("P-064")
    @pytest.mark.parametrize("wire", [SMALL, LARGE], ids=len)
    def test_a_body_in_the_place_of_another_is_never_mail(self, store: BodyStore, spoil: Spoil, wire: bytes) -> None:
        ref = stored(store, wire)
        spoil(ref.key, wire[:-3] + b"!\r\n")
        with pytest.raises(BodyLost):
            open_and_wait(store, ref)
        with pytest.raises(BodyLost):
            store.verify(ref)

    @pytest.mark.req("P-064")
    @pytest.mark.parametrize("wire", [SMALL, LARGE], ids=len)
    def test_a_body_of_another_length_is_never_mail(self, store: BodyStore, spoil: Spoil, wire: bytes) -> None:
        ref = stored(store, wire)
        for other in (wire[:-2], wire + b"\r\n", b""):
            spoil(ref.key, other)
            with pytest.raises(BodyLost):
                open_and_wait(store, ref)

    @pytest.mark.req("P-064")
    @pytest.mark.parametrize("wire", [SMALL, LARGE], ids=len)
    def test_a_row_that_means_another_body_is_noticed(self, store: BodyStore, wire: bytes) -> None:
        ref, other = stored(store, wire), stored(store, wire[::-1])
        with pytest.raises(BodyLost):
            open_and_wait(store, ref._replace(key=other.key))
        with pytest.raises(BodyLost):
            open_and_wait(store, ref._replace(digest=bytes(16)))
        with pytest.raises(BodyLost):
            open_and_wait(store, ref._replace(wire_octets=ref.wire_octets - 1))

    @pytest.mark.req("P-062")
    def test_a_body_that_is_gone_is_lost(self, store: BodyStore, spoil: Spoil) -> None:
        ref = stored(store, SMALL)
        spoil(ref.key, None)
        with pytest.raises(BodyLost):
            open_and_wait(store, ref)

    def test_nobody_sees_a_body_before_its_commit(self, store: BodyStore) -> None:
        draft = store.begin()
        draft.write(LARGE)
        assert list(store.keys()) == []
        draft.abort()
        assert list(store.keys()) == []
        assert list(store.litter(0)) == []

    def test_an_abort_after_the_commit_is_harmless(self, store: BodyStore) -> None:
        draft = store.begin()
        draft.write(LARGE)
        ref = draft.commit(len(LARGE))
        draft.abort()
        store.verify(ref)

    @pytest.mark.parametrize("end", ["commit", "abort"])
    def test_a_draft_ends_once(self, store: BodyStore, end: str) -> None:
        draft = store.begin()
        draft.write(LARGE)
        draft.commit(1) if end == "commit" else draft.abort()
        with pytest.raises(TryAgain):
            draft.write(LARGE)
        with pytest.raises(TryAgain):
            draft.commit(1)
        assert len(list(store.keys())) == (end == "commit")

    def test_removing_destroys_and_may_be_repeated(self, store: BodyStore) -> None:
        ref, other = stored(store, SMALL), stored(store, SMALL)
        store.remove(ref.key)
        store.remove(ref.key)
        assert list(store.keys()) == [other.key]
        with pytest.raises(BodyLost):
            open_and_wait(store, ref)

    def test_a_body_that_is_open_outlives_its_removal(self, store: BodyStore) -> None:
        ref = stored(store, LARGE)
        body = open_and_wait(store, ref)
        store.remove(ref.key)
        assert body.read(0, len(LARGE)) == LARGE
        body.close()

    def test_closing_twice_is_harmless(self, store: BodyStore) -> None:
        for wire in (SMALL, LARGE):
            body = open_and_wait(store, stored(store, wire))
            body.close()
            body.close()

    def test_litter_is_what_was_begun_and_left_and_can_be_removed(self, store: BodyStore) -> None:
        draft = store.begin()
        draft.write(LARGE)
        assert list(store.litter(3600)) == []
        left = list(store.litter(0))
        assert len(left) <= 1  # none where a draft needs no name
        for name in left:
            store.remove(name)
        assert list(store.litter(0)) == []

    def test_several_become_durable_together_each_with_an_outcome_of_its_own(self, store: BodyStore) -> None:
        wires = [SMALL, LARGE, b"", SMALL]
        drafts = [store.begin() for _ in wires]
        for draft, wire in zip(drafts, wires, strict=True):
            draft.write(wire)
            draft.finish()
        drafts[1].abort()
        outcomes = store.commit([(draft, len(wire)) for draft, wire in zip(drafts, wires, strict=True)])
        assert [type(outcome) for outcome in outcomes] == [BodyRef, Unavailable, BodyRef, BodyRef]
        refs = [outcome for outcome in outcomes if isinstance(outcome, BodyRef)]
        assert {ref.key for ref in refs} == set(store.keys())
        for ref, wire in zip(refs, [SMALL, b"", SMALL], strict=True):
            assert open_and_wait(store, ref).read(0, len(wire) + 1) == wire
        for draft in drafts:
            draft.abort()
        for ref in refs:
            store.verify(ref)
        assert list(store.litter(0)) == []

    def test_a_body_without_a_row_tells_what_it_is(self, store: BodyStore) -> None:
        before = time.time()
        draft = store.begin()
        draft.write(SMALL)
        ref = draft.commit(len(SMALL) - 1)  # one of its dots is doubled
        found, arrived_at = store.examine(ref.key)
        assert found == ref
        assert abs(arrived_at - before) < 60

    def test_what_is_not_there_cannot_be_examined(self, store: BodyStore) -> None:
        ref = stored(store, SMALL)
        store.remove(ref.key)
        with pytest.raises(BodyLost):
            store.examine(ref.key)

    def test_the_quarantine_takes_what_is_there_and_gives_it_back(self, store: BodyStore) -> None:
        ref, other, gone = (stored(store, SMALL) for _ in range(3))
        store.remove(gone.key)
        assert store.set_aside([ref.key, gone.key]) == {ref.key}
        assert list(store.keys()) == [other.key]
        with pytest.raises(BodyLost):
            open_and_wait(store, ref)
        ((key, name),) = store.quarantined()
        assert key == ref.key
        assert store.examine(name)[0].digest == ref.digest
        assert list(store.quarantined(older_than_days=2)) == []
        assert store.bring_back(name) == ref.key
        store.verify(ref)
        assert list(store.quarantined()) == []

    def test_what_is_in_the_quarantine_can_be_destroyed(self, store: BodyStore) -> None:
        store.set_aside([stored(store, SMALL).key, stored(store, LARGE).key])
        bodies = list(store.quarantined())
        assert len(bodies) == 2
        for body in bodies:
            store.remove(body.name)
        assert list(store.quarantined()) == []

    def test_the_id_of_a_store_is_kept_and_may_be_replaced(self, store: BodyStore) -> None:
        assert store.store_id() is None
        for store_id in ("first", "second"):
            store.set_store_id(store_id)
            assert store.store_id() == store_id
        assert list(store.litter(0)) == []

    def test_what_the_store_wrote_itself_is_usable_and_foreign_to_nobody(self, store: BodyStore) -> None:
        ref = stored(store, LARGE)
        store.require_usable([ref.key])
        assert [file for _names, files in store.foreign() for file in files] == []

    def test_keys_sort_by_the_time_of_storing(self, store: BodyStore) -> None:
        times = [sortable_ids.parts(stored(store, SMALL).key)[0] for _ in range(20)]
        assert times == sorted(times)

    @pytest.mark.parametrize("key", NOT_KEYS)
    def test_a_key_of_another_shape_opens_and_removes_nothing(self, store: BodyStore, key: str) -> None:
        ref = stored(store, SMALL)
        with pytest.raises(BodyLost):
            open_and_wait(store, ref._replace(key=key))
        with pytest.raises(BodyLost):
            store.remove(key)
        store.verify(ref)

    def test_a_store_that_works_says_so(self, store: BodyStore) -> None:
        store.probe()
        assert list(store.keys()) == []
        assert list(store.litter(0)) == []
