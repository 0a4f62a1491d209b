"""What a worker remembers of accounts and the networks that they came from. `now` is ours."""

from __future__ import annotations

from mailstore.policy import known_pairs
from mailstore.policy.known_pairs import KnownPairs
from mailstore.policy.throttle import DAY_SECONDS

ANN, HERE, THERE = "ann@example.org", "192.0.2.0/24", "198.51.100.0/24"


def test_a_pair_is_remembered_for_a_day_so_that_the_database_hears_of_it_once_a_day() -> None:
    memory = KnownPairs()
    memory.note(ANN, HERE, 0.0)
    assert memory.has(ANN, HERE, DAY_SECONDS - 1.0)
    assert not memory.has(ANN, THERE, 1.0)
    assert not memory.has("bob@example.org", HERE, 1.0)
    assert not memory.has(ANN, HERE, DAY_SECONDS)


def test_what_is_remembered_is_bounded_and_the_oldest_goes() -> None:
    memory = KnownPairs()
    for n in range(known_pairs.TABLE_LIMIT + 1):
        memory.note(f"user{n}-{'x' * 900}", HERE, float(n) / 1000)
    assert len(memory._noted) == known_pairs.TABLE_LIMIT
    assert not memory.has(f"user0-{'x' * 900}", HERE, 1.0)
    assert max(map(len, memory._noted)) < 300
