"""Icons."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

SPRITE = Path(settings.BASE_DIR) / "static/vendor/bootstrap-icons/sprite.svg"
CODE = Path(settings.BASE_DIR) / "popadmin"
TEMPLATES = Path(settings.BASE_DIR) / "templates"


def test_the_sprite_holds_the_icons_that_are_used_and_no_others():
    there = set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))
    code = "\n".join(path.read_text() for path in CODE.rglob("*.py"))
    named = {name for name in there if f'"{name}"' in code}
    for template in TEMPLATES.rglob("*.html"):
        named |= set(re.findall(r'{% icon "([^"]+)"', template.read_text()))
    assert named == there
