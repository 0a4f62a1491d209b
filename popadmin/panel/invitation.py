"""How a new owner is welcomed: a mail or a letter, each with a link to choose a password and the way to set up."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from mailstore.directory import recovery_addresses
from mailstore.models import Mailbox, User
from popadmin.connect.program_steps import OTHER, page_values
from popadmin.connect.qr_code import qr_code
from popadmin.web import invitation_link
from popadmin.web.mailer import compose


def may_choose(mailbox: Mailbox) -> bool:
    """Return whether the owner may use the pages, and so choose a password there."""
    return mailbox.user.is_active and mailbox.domain.active and mailbox.web


def mailable(mailbox: Mailbox) -> bool:
    """Return whether a link may be mailed: to an address elsewhere, of an owner who may use the pages."""
    return may_choose(mailbox) and bool(recovery_addresses.invited_at(mailbox.user))


def language(user: User) -> str:
    return user.language or get_language() or settings.LANGUAGE_CODE


def mail(request: HttpRequest, user: User) -> EmailMessage:
    """Return the mail to the user's address elsewhere, in their language."""
    address = recovery_addresses.invited_at(user)
    return compose("welcome", address, language(user), **_facts(request, user, mailed_to=user.invitation_address))


def letter(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return what the letter shows: as the mail, with codes for the camera of a phone, and the values to type."""
    facts = _facts(request, user)
    return {
        **facts,
        **page_values(OTHER, address=user.address, secret="", may_send=user.mailbox.smtp),
        "name": user.name,
        "ends_at": timezone.now() + invitation_link.VALID,
        "link_code": qr_code(facts["link"]),
        "setup_code": qr_code(facts["setup_url"]),
    }


def _facts(request: HttpRequest, user: User, *, mailed_to: str = "") -> dict[str, Any]:
    return {
        "address": user.address,
        "provider": settings.PROVIDER_NAME,
        "link": invitation_link.url(request, user, mailed_to=mailed_to),
        "setup_url": request.build_absolute_uri(reverse("setup")),
    }
