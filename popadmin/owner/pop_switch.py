"""Who can switch POP on for an owner, in words: the administrators of the domain by name, else the provider."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.models import Mailbox, User
from mailstore.policy.addresses import shown_domain, shown_name
from popadmin.owner import access

NAMED_MOST = 3


def remedy(mailbox: Mailbox) -> str:
    """Return whom to ask for POP, and what they look for. One query."""
    admins = list(access.domain_admins(mailbox)[:NAMED_MOST])
    if not admins:
        text = _("Ask your provider, %(provider)s, to switch on “POP” in the settings of your mailbox.")
        return text % {"provider": settings.PROVIDER_NAME}
    text = ngettext(
        "Ask the administrator of %(domain)s, %(names)s, to switch on “POP” in the settings of your mailbox.",
        "Ask an administrator of %(domain)s (%(names)s) to switch on “POP” in the settings of your mailbox.",
        len(admins),
    )
    return text % {"domain": shown_domain(mailbox.domain.name), "names": ", ".join(map(_named, admins))}


def _named(admin: User) -> str:
    address = shown_name(admin.address)
    return f"{admin.name} <{address}>" if admin.name else address
