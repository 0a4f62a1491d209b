"""Cells of the list of sign-ins."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mailstore.models import DiarySession
from popadmin.web import session_text, sign_in_text
from popadmin.web.icons import icon

register = template.Library()

WARNINGS = (DiarySession.Ended.PREVIOUS, DiarySession.Ended.THROTTLED)


@register.simple_tag
def sign_in_outcome(session: DiarySession) -> SafeString:
    """Return what happened, with an icon where somebody should act, and how many attempts the row stands for."""
    text, times = sign_in_text.outcome(session), session_text.times(session)
    more = format_html(' <small class="quiet">{}</small>', times) if times else SafeString()
    if session.ended in WARNINGS:
        return format_html('<span class="state warn">{} {}{}</span>', icon("exclamation-triangle-fill"), text, more)
    return format_html("{}{}", text, more)
