"""Parts of the frame: the "⋯" menu of a page, and what a search found in a text."""

from __future__ import annotations

import re
import unicodedata

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from popadmin.web.icons import icon

register = template.Library()

MORE = (
    '<details class="more"><summary class="btn btn-quiet btn-icon" aria-label="{}">{}</summary>'
    '<div class="menu">{}</div></details>'
)


@register.simple_block_tag
def more(content: str) -> SafeString:
    """Return the "⋯" menu with this content, links and buttons; nothing without content."""
    content = SafeString(content.strip())  # a SafeString forgets in strip() that it is one
    return format_html(MORE, _("More"), icon("three-dots"), content) if content else SafeString()


@register.filter
def marked(text: str, query: str) -> SafeString:
    """Return the text with the words of the query marked, in any case and with or without accents."""
    words = [re.escape(_plain(word)) for word in query.split()]
    if not words:
        return format_html("{}", text)
    pieces, end = [], 0
    for found in re.finditer("|".join(words), _plain(text)):
        pieces += [(format_html("{}", text[end : found.start()]),), (_mark(text[found.start() : found.end()]),)]
        end = found.end()
    return format_html_join("", "{}", [*pieces, (text[end:],)])


def _mark(text: str) -> SafeString:
    return format_html("<mark>{}</mark>", text)


def _plain(text: str) -> str:
    """Return each character in lower case and without its accent, so that places in both texts agree."""
    return "".join((unicodedata.normalize("NFKD", letter)[:1] or letter).lower()[:1] for letter in text)
