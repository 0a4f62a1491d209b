"""The fake passes what the real stores pass, so that tests on it mean something."""

from __future__ import annotations

from threading import Thread
from time import sleep

import pytest

from mailstore.bodies import open_and_wait
from mailstore.errors import BodyLost
from tests.fakes.bodies import FakeBodies
from tests.suites.bodies import SMALL, BodyStoreSuite, Spoil, stored


class TestFakeBodies(BodyStoreSuite):
    @pytest.fixture
    def empty(self) -> FakeBodies:
        return FakeBodies()

    @pytest.fixture
    def spoil(self, store: FakeBodies) -> Spoil:
        def replace(key: str, wire: bytes | None) -> None:
            del store.wires[key]
            if wire is not None:
                store.wires[key] = wire

        return replace


@pytest.fixture
def late() -> FakeBodies:
    """A store whose `open` waits for `answers.release`, as for an answer from another machine."""
    store = FakeBodies()
    store.prepare()
    store.answers.held = True
    return store


def released_soon(store: FakeBodies) -> Thread:
    def release() -> None:
        while not store.answers.outstanding:
            sleep(0.001)
        store.answers.release()

    thread = Thread(target=release)
    thread.start()
    return thread


def test_pages_wait_for_a_store_that_answers_late_from_a_thread_of_its_own(late: FakeBodies) -> None:
    ref = stored(late, SMALL)
    thread = released_soon(late)
    assert open_and_wait(late, ref).read(0, len(SMALL)) == SMALL
    thread.join()


def test_pages_get_the_error_of_a_store_that_answers_late(late: FakeBodies) -> None:
    ref = stored(late, SMALL)._replace(digest=bytes(16))
    thread = released_soon(late)
    with pytest.raises(BodyLost):
        open_and_wait(late, ref)
    thread.join()
