"""Entries of the trace in templates: their addresses, and the fields of the sentence that searches them."""

from __future__ import annotations

from django import template
from django.forms.boundfield import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mailstore.models import TraceEntry
from popadmin.templatetags.mailboxes import address
from popadmin.web.icons import icon

register = template.Library()

FIELD = '<label for="{id}">{label}</label> {box}{error}'
ERROR = '<small class="field-error" id="{id}">{icon} {text}</small>'


@register.simple_tag
def trace_sender(entry: TraceEntry) -> SafeString:
    """Return the sender, or that it is a notice of a server: these have the null sender."""
    if entry.sender:
        return format_html('<span class="addr">{}</span>', address(entry.sender))
    if not entry.recipient:
        return format_html('<span class="quiet">{}</span>', _("several senders"))
    return format_html('<span class="quiet">{}</span>', _("a mail server (null sender)"))


@register.simple_tag
def trace_recipient(entry: TraceEntry) -> SafeString:
    """Return the recipient as it was given, or that the row stands for several."""
    if entry.recipient:
        return format_html('<span class="addr">{}</span>', address(entry.recipient))
    is_fold = not entry.sender  # a message that was refused without a recipient has its sender
    domain = entry.domain.name if is_fold and entry.domain_id and entry.domain else ""
    text = _("other names in %(domain)s") % {"domain": domain} if domain else _("no recipient named")
    return format_html('<span class="quiet">{}</span>', text)


@register.filter
def local_part(text: str) -> str:
    return text.partition("@")[0]


@register.simple_tag
def ask_field(bound: BoundField) -> SafeString:
    """Return a field of the sentence. Its id differs from that of the same field behind "Filter"."""
    key = f"ask-{bound.name}"
    error_id = f"{key}-error"
    attrs: dict[str, str | bool] = {"id": key, "class": "form-control"}
    if bound.errors:
        attrs |= {"aria-invalid": "true", "aria-describedby": error_id}
    error = (
        format_html(ERROR, id=error_id, icon=icon("exclamation-octagon-fill"), text=bound.errors[0])
        if bound.errors
        else ""
    )
    return format_html(FIELD, id=key, label=bound.label, box=bound.as_widget(attrs=attrs), error=error)
