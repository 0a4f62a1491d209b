"""Domains and aliases as the panel shows them: their state in words."""

from __future__ import annotations

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from mailstore.models import Alias, Domain

register = template.Library()

Word = tuple[str, str]  # a badge: its style, its text


@register.filter
def domain_words(domain: Domain) -> list[Word]:
    words = [("good", pgettext("domain", "Active")) if domain.active else ("warn", pgettext("domain", "Suspended"))]
    if domain.stands_for is not None:
        words.append(("note", _("stands for %(domain)s") % {"domain": domain.stands_for}))
    return words


@register.filter
def alias_words(alias: Alias) -> list[Word]:
    if alias.expires_at is not None and alias.expires_at <= timezone.now():
        words = [("warn", pgettext("alias", "Expired"))]
    elif not alias.active:
        words = [("warn", pgettext("alias", "Switched off"))]
    else:
        words = [("good", pgettext("alias", "Active"))]
    if alias.mailbox_id is not None:
        words.append(("note", _("Forward, keeps a copy") if alias.keep_copy else _("Forward")))
    if alias.address.startswith("@"):
        words.append(("note", _("Catch-all")))
    return words
