"""The page of the mail flow: what the last `mta check` tried, what it saw, and what to do where something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.views.generic import TemplateView

from mailstore.mta import check_text, last_check
from mailstore.mta.checks.result import Result, State
from popadmin.panel import access

NAMES_OF_MTAS = {"postfix": "Postfix", "exim": "Exim"}


@dataclass(frozen=True, slots=True)
class Row:
    """A check in words. `state` is "good", "bad" or "skipped"."""

    name: str
    state: str
    fault: str
    said: str
    remedy: str


class MailFlow(access.HostPage, TemplateView):
    template_name = "panel/mail_flow.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        last = last_check.last()
        return super().get_context_data(
            **kwargs,
            last=last,
            mta=NAMES_OF_MTAS.get(last.mta, last.mta),
            bad_count=len(last.bad),
            is_overdue=last.is_overdue(timezone.now()),
            rows=list(_rows(last.results)),
        )


def _rows(results: tuple[Result, ...]) -> Iterator[Row]:
    """Yield what is wrong first, then the others in the order of the checks."""
    for result in sorted(results, key=lambda each: each.state is not State.BAD):
        fault, remedy = check_text.fault(result), check_text.remedy(result)
        yield Row(check_text.name(result), result.state.value, fault, result.said, remedy)
