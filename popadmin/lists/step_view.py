"""Long work in steps, each a POST of half a second: a script sends one after the other, a button does too."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.generic import View


@dataclass(frozen=True, slots=True)
class Progress:
    """How many rows are taken, of how many, and whether it goes on."""

    taken: int
    total: int
    running: bool


class StepView(View):
    """One step. A script gets how far it is, a browser without one the page again."""

    def take(self) -> None:
        raise NotImplementedError

    def progress(self) -> Progress:
        """Behind the step."""
        raise NotImplementedError

    def page(self) -> str:
        """The address of the page that shows the progress."""
        raise NotImplementedError

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        self.take()
        if request.accepts("text/html"):
            return redirect(self.page())
        return JsonResponse(asdict(self.progress()))
