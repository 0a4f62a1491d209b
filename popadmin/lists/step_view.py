"""Long work in steps, each a POST of half a second. A script sends the steps; without script, a button does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.generic import View


@dataclass(frozen=True, slots=True)
class Progress:
    """How many rows are done, how many there are, and whether the work continues."""

    taken: int
    total: int
    running: bool


class StepView(View):
    """One step. A script gets the progress as JSON, a browser without script gets the page again."""

    def take(self) -> None:
        raise NotImplementedError

    def progress(self) -> Progress:
        """Return the progress after the step."""
        raise NotImplementedError

    def page(self) -> str:
        """Return the address of the page that shows the progress."""
        raise NotImplementedError

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        self.take()
        if request.accepts("text/html"):
            return redirect(self.page())
        return JsonResponse(asdict(self.progress()))
