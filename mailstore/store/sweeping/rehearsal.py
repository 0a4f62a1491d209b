"""What a step would do to one mailbox behind the steps before it: they are made, counted and undone.

For previews, of the few mailboxes where one step decides on what the next finds; deliveries to them wait meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from django.db import transaction

from mailstore.store.sweeping.steps import Round

Act = Callable[[Round], tuple[int, ...]]


def rehearsed(mailboxes: Iterable[int], round: Round, acts: Iterable[Act]) -> tuple[int, ...]:
    """The figures of the last act, summed up over the mailboxes. Nothing of it stays."""
    order = list(acts)
    done = [_alone(mailbox, round, order) for mailbox in mailboxes]
    return tuple(map(sum, zip(*done, strict=True)))


def _alone(mailbox: int, round: Round, acts: list[Act]) -> tuple[int, ...]:
    figures: tuple[int, ...] = ()
    with transaction.atomic():
        for act in acts:
            figures = act(replace(round, only=mailbox))
        transaction.set_rollback(True)
    return figures
