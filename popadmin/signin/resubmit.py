"""Keep a form that was sent after its session had ended: it travels in the sign-in page, and is offered again.

The server stores nothing of it. It is signed, so that no foreign page can put text into a form. A user is asked to sign
in only where the form has a valid token of ours, or the browser says that one of our pages sent it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

SECRETS = frozenset({"password", "old_password", "new_password1", "new_password2", "code"})
NOT_FIELDS = frozenset({"csrfmiddlewaretoken", "next", "sent"})
KEPT_CHARACTERS = 100_000  # of the typed text; more is the size of a file, which is read from the file again
KEPT_SECONDS = 3600
SALT = "popadmin.signin.resubmit"


@dataclass(frozen=True, slots=True)
class SentForm:
    """The path to which a form was sent, and its fields in order."""

    path: str
    fields: tuple[tuple[str, str], ...]

    def seal(self) -> str:
        """Return it as signed text for a hidden field; `unseal` reads it."""
        return signing.dumps([self.path, self.fields], salt=SALT, compress=True)


def sent_form(request: HttpRequest) -> SentForm | None:
    """Return the form that a POST sent. None if it has a file, a password, a code or too much text to be kept."""
    if request.method != "POST" or request.FILES or _is_sign_out(request):
        return None
    fields = tuple((name, text) for name, texts in request.POST.lists() for text in texts if name not in NOT_FIELDS)
    if any(name in SECRETS and text for name, text in fields):
        return None
    if sum(len(name) + len(text) for name, text in fields) > KEPT_CHARACTERS:
        return None
    return SentForm(request.get_full_path(), fields)


def unseal(sealed: str) -> SentForm | None:
    """Return the form that `seal` wrote within the last hour; None for any other text."""
    try:
        path, fields = signing.loads(sealed, salt=SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature:
        return None
    return SentForm(path, tuple((name, text) for name, text in fields))


def offer(request: HttpRequest, sent: SentForm, *, status: int = 200) -> HttpResponse:
    """Return the page whose button sends the form again, as the user who is signed in now."""
    return render(request, "signin/resubmit.html", {"sent": sent}, status=status)


def _is_sign_out(request: HttpRequest) -> bool:
    """Return whether the form asks to sign out, which has already happened."""
    return bool(request.resolver_match and request.resolver_match.view_name == "sign-out")
