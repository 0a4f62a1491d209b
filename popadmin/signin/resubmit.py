"""What somebody sent when his session was over: it travels in the page of the sign-in, and is offered to him after it.

Nothing of it is kept on the server. It is signed, so that no foreign page can put words into a form; who was told to
sign in had a valid token of ours, or the browser vouches that one of our pages sent it.
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
    """Where a form went, and its fields in order."""

    path: str
    fields: tuple[tuple[str, str], ...]

    def sealed(self) -> str:
        """As text for a hidden field; `read` opens it."""
        return signing.dumps([self.path, self.fields], salt=SALT, compress=True)


def sent(request: HttpRequest) -> Sent | None:
    """What a POST sent; None where nothing can be kept: no form, a file, a password or a code, or too much."""
    if request.method != "POST" or request.FILES or _ends(request):
        return None
    fields = tuple((name, text) for name, texts in request.POST.lists() for text in texts if name not in NOT_FIELDS)
    if any(name in SECRETS and text for name, text in fields):
        return None
    if sum(len(name) + len(text) for name, text in fields) > KEPT_CHARACTERS:
        return None
    return Sent(request.get_full_path(), fields)


def _ends(request: HttpRequest) -> bool:
    """To sign out is what has happened already."""
    return bool(request.resolver_match and request.resolver_match.view_name == "sign-out")


def read(sealed: str) -> Sent | None:
    """What `sealed` has written within the hour; None for anything else."""
    try:
        path, fields = signing.loads(sealed, salt=SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature:
        return None
    return Sent(path, tuple((name, text) for name, text in fields))


def offer(request: HttpRequest, sent: Sent, *, status: int = 200) -> HttpResponse:
    """The page with one button that sends it once more, by the person who is signed in now."""
    return render(request, "signin/resubmit.html", {"sent": sent}, status=status)
