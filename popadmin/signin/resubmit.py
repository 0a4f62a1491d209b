"""Keep a form that was sent after its session had ended: it travels in the sign-in page, and is offered again.

The server stores nothing of it. It is signed, so that no foreign page can put text into a form. Only senders with a
valid token of ours, or whose browser says that one of our pages sent the form, are asked to sign in.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

SECRETS = frozenset({"password", "old_password", "new_password1", "new_password2", "code"})
NOT_FIELDS = frozenset({"csrfmiddlewaretoken", "next", "sent"})
KEPT_CHARACTERS = 100_000  # of what was typed; more is a file's worth, and is read from the file again
KEPT_SECONDS = 3600
SALT = "popadmin.signin.resubmit"


@dataclass(frozen=True, slots=True)
class Sent:
    """The path of a form, and its fields in order."""

    path: str
    fields: tuple[tuple[str, str], ...]

    def sealed(self) -> str:
        """Return it as signed text for a hidden field; `read` opens it."""
        return signing.dumps([self.path, self.fields], salt=SALT, compress=True)


def sent(request: HttpRequest) -> Sent | None:
    """Return what a POST sent; None if it cannot be kept: no form, a file, a password or a code, or too much."""
    if request.method != "POST" or request.FILES or _ends(request):
        return None
    fields = tuple((name, text) for name, texts in request.POST.lists() for text in texts if name not in NOT_FIELDS)
    if any(name in SECRETS and text for name, text in fields):
        return None
    if sum(len(name) + len(text) for name, text in fields) > KEPT_CHARACTERS:
        return None
    return Sent(request.get_full_path(), fields)


def _ends(request: HttpRequest) -> bool:
    """Return whether it was a sign-out, which has then already happened."""
    return bool(request.resolver_match and request.resolver_match.view_name == "sign-out")


def read(sealed: str) -> Sent | None:
    """Return what `sealed` wrote within the hour; None for anything else."""
    try:
        path, fields = signing.loads(sealed, salt=SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature:
        return None
    return Sent(path, tuple((name, text) for name, text in fields))


def offer(request: HttpRequest, sent: Sent, *, status: int = 200) -> HttpResponse:
    """Return the page with one button that sends it again, as the user who is signed in now."""
    return render(request, "signin/resubmit.html", {"sent": sent}, status=status)
