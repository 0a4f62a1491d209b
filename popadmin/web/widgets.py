"""Render inputs and selects in Python (Django's FORM_RENDERER), with the same HTML as Django's templates.

The templates cost three renderings per option, a quarter of a list page. Widgets that are not in `RENDERERS` use their
template as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}

FOLDER = "django/forms/widgets/"
INPUTS = ("checkbox", "date", "email", "hidden", "input", "number", "password", "text")

Widget = Mapping[str, Any]  # the context of a widget's template


class Widgets(DjangoTemplates):
    """Render the common widgets without a template, all others with theirs."""

    def render(self, template_name: str, context: Mapping[str, Any], request: HttpRequest | None = None) -> SafeString:
        renderer = RENDERERS.get(template_name)
        if renderer is None:
            return SafeString(super().render(template_name, dict(context), request))
        return SafeString(renderer(context["widget"]))


def _input(widget: Widget) -> str:
    value = "" if widget["value"] is None else f' value="{conditional_escape(widget["value"])}"'
    return f'<input type="{widget["type"]}" name="{conditional_escape(widget["name"])}"{value}{_attrs(widget)}>'


def _select(widget: Widget) -> str:
    groups = "".join(_group(name, options) for name, options, _index in widget["optgroups"])
    return f'<select name="{conditional_escape(widget["name"])}"{_attrs(widget)}>{groups}</select>'


def _group(name: str | None, options: list[Widget]) -> str:
    options_html = "".join(map(_option, options))
    return f'<optgroup label="{conditional_escape(name)}">{options_html}</optgroup>' if name else options_html


def _option(option: Widget) -> str:
    value, label = conditional_escape(option["value"]), conditional_escape(option["label"])
    return f'<option value="{value}"{_attrs(option)}>{label}</option>'


def _attrs(widget: Widget) -> str:
    """Return the attributes: True stands alone, False is left out."""
    given = [(name, value) for name, value in widget["attrs"].items() if value is not False]
    return "".join(f" {name}" if value is True else f' {name}="{conditional_escape(value)}"' for name, value in given)


RENDERERS: dict[str, Callable[[Widget], str]] = {f"{FOLDER}select.html": _select}
RENDERERS |= {f"{FOLDER}{name}.html": _input for name in INPUTS}
