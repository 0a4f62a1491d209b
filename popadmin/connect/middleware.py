"""Answer mail programs under whatever name they come, before all that compares the Host with ALLOWED_HOSTS.

A program asks `autoconfig.customer.example`, and a site has customers that its operator never types into a setting.
Such a request reaches the few files of `program_files` and nothing else: no session, no form and no page exist under a
foreign name.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from popadmin.connect import program_files
from popadmin.web.middleware import GetResponse


class ProgramFiles:
    """The middleware that answers these files and passes on all other requests."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return program_files.answer(request) or self.get_response(request)
