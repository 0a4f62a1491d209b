"""Icons of the sprite (static/vendor/bootstrap-icons), as SVG without script or inline style."""

from __future__ import annotations

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

SPRITE = "vendor/bootstrap-icons/sprite.svg"
ICON = '<svg class="icon{}{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>'


def icon(name: str, css: str = "") -> SafeString:
    """Return an icon, hidden from screen readers: the text beside it says the same."""
    return format_html(ICON, css and " ", css, static(SPRITE), name)
