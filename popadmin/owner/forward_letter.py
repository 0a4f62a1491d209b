"""The mail that asks an address elsewhere whether an owner's mail may be forwarded there, and the link in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected
from mailstore.models import Alias
from mailstore.policy.addresses import shown_name
from popadmin.web import mail_limit
from popadmin.web.mailer import compose, send
from popadmin.web.people import signed_in

LINK_DAYS = 7
_SALT = "popadmin.forward"


@dataclass(frozen=True, slots=True)
class Request:
    """What a link asks for: that the forward with this primary key leads to this target."""

    forward_id: int
    target: str


def send_each(request: HttpRequest, forward: Alias, targets: Sequence[str]) -> None:
    """Mail each target its link, in the owner's language. Rejected above the limits, NotSent by the mail server."""
    for target in targets:
        if not (mail_limit.may_request_mail(request.META["REMOTE_ADDR"]) and mail_limit.may_mail(f"forward {target}")):
            raise Rejected(
                _("too many mails were sent to %(target)s: wait an hour, then send it again") % {"target": target}
            )
        link = request.build_absolute_uri(reverse("forward-consent", args=[token(forward, target)]))
        language = signed_in(request).language or get_language() or ""
        address = shown_name(forward.address)
        send(compose("forward_consent", target, language, address=address, link=link, days=LINK_DAYS))


def token(forward: Alias, target: str) -> str:
    """Return what a link carries, signed with the time of now."""
    return signing.dumps([forward.pk, target], salt=_SALT)


def read(token: str) -> Request | None:
    """Return what a link asks for; None for a link that is not ours or too old."""
    try:
        forward_id, target = signing.loads(token, salt=_SALT, max_age=LINK_DAYS * 86400)
    except (signing.BadSignature, ValueError):
        return None
    return Request(forward_id, target)
