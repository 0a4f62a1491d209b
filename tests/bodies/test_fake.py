"""The fake passes what the real stores pass, so that tests on it mean something."""

from __future__ import annotations

import pytest

from tests.fakes.bodies import FakeBodies
from tests.suites.bodies import BodyStoreSuite, Spoil


class TestFakeBodies(BodyStoreSuite):
    @pytest.fixture
    def store(self) -> FakeBodies:
        return FakeBodies()

    @pytest.fixture
    def spoil(self, store: FakeBodies) -> Spoil:
        def replace(key: str, wire: bytes | None) -> None:
            del store.wires[key]
            if wire is not None:
                store.wires[key] = wire

        return replace
