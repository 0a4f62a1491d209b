"""How a DNS record stands, in a few words with an icon, and what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from popadmin.connect.dns.judgement import State
from popadmin.connect.dns.record import Need, Purpose
from popadmin.web.icons import icon

if TYPE_CHECKING:
    from popadmin.connect.dns.check import Row

register = template.Library()

_WORDS: dict[State, Promise] = {
    State.GOOD: pgettext_lazy("record", "as it should be"),
    State.MISSING: pgettext_lazy("record", "missing"),
    State.DIFFERENT: pgettext_lazy("record", "different"),
    State.UNKNOWN: pgettext_lazy("record", "no answer from DNS"),
}
_NEEDS: dict[Need, Promise] = {
    Need.MAIL: _("Without it no mail comes."),
    Need.TRUST: _("Without it, mail from this domain is doubted."),
    Need.EASE: _("A convenience."),
}
_PURPOSES: dict[Purpose, Promise] = {
    Purpose.ADDRESS: _("Where the server of this name is"),
    Purpose.MX: _("Which servers take mail for the domain"),
    Purpose.SPF: _("Which servers may send for the domain"),
    Purpose.DKIM: _("The key of the signatures in its mail"),
    Purpose.DMARC: _("What receivers do with mail that is not signed"),
    Purpose.SERVICE: _("Where programs find the server"),
    Purpose.HOST: _("Where programs ask for their settings"),
    Purpose.PACC: _("The digest of the settings"),
}


@register.simple_tag
def record_state(row: Row) -> SafeString:
    """Return how a record stands: only what mail depends on is an error, the rest a warning or a note."""
    if row.state is None:
        return format_html('<span class="quiet">{}</span>', _("not looked up yet"))
    if row.state == State.GOOD:
        return format_html('<span class="quiet">{} {}</span>', icon("check2"), _WORDS[row.state])
    level, sign = _level(row)
    return format_html('<span class="state {}">{} {}</span>', level, icon(sign), _WORDS[row.state])


def _level(row: Row) -> tuple[str, str]:
    if row.state == State.UNKNOWN or row.records.need == Need.EASE:
        return "note", "slash-circle"
    if row.records.need == Need.MAIL:
        return "bad", "exclamation-octagon-fill"
    return "warn", "exclamation-triangle-fill"


@register.filter
def purpose(row: Row) -> Promise:
    return _PURPOSES[row.records.purpose]


@register.filter
def need(row: Row) -> Promise:
    return _NEEDS[row.records.need]
