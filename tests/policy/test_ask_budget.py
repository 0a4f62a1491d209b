"""How often an old server is asked: bounded for all mailboxes together, and for refusals of one."""

from __future__ import annotations

from mailstore.policy.ask_budget import (
    ASKS_A_MINUTE,
    AWAY_SECONDS,
    PERIOD_SECONDS,
    REFUSALS_AT_MOST,
    SILENCES_AT_MOST,
    SILENT_SECONDS,
    AskBudget,
)


def test_the_questions_of_a_minute_are_bounded_and_the_next_minute_has_its_own() -> None:
    budget = AskBudget()
    assert [budget.busy(1000.0) for _ in range(ASKS_A_MINUTE)] == [False] * ASKS_A_MINUTE
    assert budget.busy(1059.0)
    assert not budget.busy(1060.0)


def test_after_some_refusals_a_mailbox_is_not_asked_for_until_the_period_is_over() -> None:
    budget = AskBudget()
    for second in range(REFUSALS_AT_MOST):
        assert not budget.exhausted(1, b"right", float(second))
        budget.refused(1, b"wrong %d" % second, float(second))
    assert budget.exhausted(1, b"right", PERIOD_SECONDS - 1)
    assert not budget.exhausted(2, b"right", 10.0)
    assert not budget.exhausted(1, b"right", PERIOD_SECONDS)
    budget.refused(1, b"wrong", PERIOD_SECONDS)
    assert not budget.exhausted(1, b"right", PERIOD_SECONDS)


def test_a_password_that_is_repeated_counts_once_and_is_not_asked_again() -> None:
    budget = AskBudget()
    for second in range(2 * REFUSALS_AT_MOST):
        budget.refused(1, b"old", float(second))
    assert budget.exhausted(1, b"old", 30.0)
    assert not budget.exhausted(1, b"right", 30.0)
    assert not budget.exhausted(1, b"old", PERIOD_SECONDS)


def test_a_server_that_stays_silent_is_left_alone_for_a_while_and_then_one_silence_is_enough() -> None:
    budget = AskBudget()
    for second in range(SILENCES_AT_MOST):
        assert not budget.silent("a", float(second))
        budget.waited("a", float(second), in_vain=True)
    assert budget.silent("a", SILENT_SECONDS)
    assert not budget.silent("b", SILENT_SECONDS)
    later = SILENCES_AT_MOST - 1 + SILENT_SECONDS
    assert not budget.silent("a", later)
    budget.waited("a", later, in_vain=True)
    assert budget.silent("a", later)
    budget.waited("a", later, in_vain=False)
    assert not budget.silent("a", later)


def test_a_server_is_away_for_a_minute_behind_a_question_without_an_answer_or_until_it_answers() -> None:
    budget = AskBudget()
    budget.unanswered("a", 10.0)
    assert [budget.away(server, 11.0) for server in ("a", "b", None)] == [True, False, True]
    assert not budget.away("a", 10.0 + AWAY_SECONDS)
    budget.unanswered("a", 100.0)
    budget.answered("a")
    assert [budget.away(server, 101.0) for server in ("a", None)] == [False, False]
