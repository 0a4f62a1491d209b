"""The page for a request that failed on our side. An unreachable database has its own page, because it comes back.

Django calls this for any exception, also from middleware, and logs the exception once. Neither page queries the
database.
"""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string

RETRY_AFTER_SECONDS = 30  # a restart of Postgres takes a few; Django connects anew at the next request


def server_error(_request: HttpRequest) -> HttpResponse:
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return HttpResponseServerError(render_to_string("500.html"))
