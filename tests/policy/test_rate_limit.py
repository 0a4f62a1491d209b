"""How often something may be asked for."""

from mailstore.policy.rate_limit import KEYS_LIMIT, RateLimit


def test_so_many_a_window_and_no_more_until_it_ends() -> None:
    limit = RateLimit(2, 60)
    assert [limit.allowed("a", now) for now in (0.0, 1.0, 2.0, 59.0)] == [True, True, False, False]
    assert limit.allowed("a", 60.0)


def test_who_goes_on_asking_does_not_lengthen_his_own_window() -> None:
    limit = RateLimit(1, 60)
    assert [limit.allowed("a", now) for now in (0.0, 59.0, 60.0)] == [True, False, True]


def test_each_key_has_its_own() -> None:
    limit = RateLimit(1, 60)
    assert [limit.allowed(key, 0.0) for key in "aab"] == [True, False, True]


def test_strangers_fill_no_memory() -> None:
    limit = RateLimit(1, 60)
    for number in range(KEYS_LIMIT + 5):
        limit.allowed(str(number), 0.0)
    assert len(limit._counts) == KEYS_LIMIT
