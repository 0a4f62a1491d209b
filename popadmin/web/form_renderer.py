"""Render forms, their fields and the common widgets (Django's FORM_RENDERER), so that `{{ form }}` has our HTML.

Python does it. Django's templates cost three renderings per option of a select, which is a quarter of a list page, and
two per field, which is a tenth to a fifth of the page of a form. Other widgets use their templates as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.forms import BaseForm, BoundField, CheckboxInput, Select
from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.template import loader
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from popadmin.web.icons import icon

FOLDER = "django/forms/widgets/"
INPUTS = ("checkbox", "date", "email", "hidden", "input", "number", "password", "text")
OUR_TEMPLATES = "partials/"
OPTIONS = f"{OUR_TEMPLATES}options.html"  # radio buttons, which have the ids

ERROR_ICON = "exclamation-octagon-fill"
FORM_ERROR = '<div class="line line-bad" role="alert">{} <div><strong>{}</strong></div></div>'
WRONG_FIELDS = '<div class="line line-bad mb" role="alert">{} <div><strong>{}</strong> {}</div></div>'
FIELDS_COUNTED = 2  # from so many wrong fields on they are counted: one has the focus anyway

Context = Mapping[str, Any]  # of a template of Django's
Widget = Mapping[str, Any]  # the context of a widget's template, under its name `widget`


class FormRenderer(DjangoTemplates):
    """Render by a function of `RENDERERS`, by a template of ours, or by Django's template."""

    def render(self, template_name: str, context: Context, request: HttpRequest | None = None) -> SafeString:
        renderer = RENDERERS.get(template_name)
        if renderer is None:
            return SafeString(super().render(template_name, dict(context), request))
        return SafeString(renderer(context))

    def get_template(self, template_name: str) -> Any:
        if template_name.startswith(OUR_TEMPLATES):
            return loader.get_template(template_name)
        return super().get_template(template_name)


def _form(context: Context) -> str:
    """Return the errors above all fields, then the fields, then the hidden ones."""
    errors = format_html_join("", FORM_ERROR, ((icon(ERROR_ICON), error) for error in context["errors"]))
    errors += wrong_fields(context["form"])
    fields = "".join(bound.as_field_group() for bound, _errors in context["fields"])
    return errors + fields + "".join(map(str, context["hidden_fields"]))


def wrong_fields(form: BaseForm) -> SafeString:
    """Return a line that counts the fields with errors and links to each; nothing for fewer than two."""
    wrong = [form[name] for name in form.fields if name in form.errors and not form[name].is_hidden]
    if len(wrong) < FIELDS_COUNTED:
        return SafeString()
    links = format_html_join(", ", '<a href="#{}">{}</a>', ((_target(bound), bound.label) for bound in wrong))
    text = _("%(count)d fields need a look:") % {"count": len(wrong)}
    return format_html(WRONG_FIELDS, icon(ERROR_ICON), text, links)


def _target(bound: BoundField) -> str:
    """Return the id of the field; that of its first button where it is a group of them."""
    is_group = bound.template_name == OPTIONS or not bound.id_for_label
    return f"{bound.auto_id}_0" if is_group else bound.id_for_label


def _field(context: Context) -> str:
    """Return a field with its label, errors and help, linked for screen readers; a hidden field alone."""
    bound: BoundField = context["field"]
    if bound.is_hidden:
        return str(bound)
    widget = bound.field.widget
    is_box = isinstance(widget, CheckboxInput)
    css = "form-check-input" if is_box else "form-select" if isinstance(widget, Select) else "form-control"
    control = bound.as_widget(attrs={"class": css, **_focus(bound)})
    label = format_html('<label for="{}">{}</label>', bound.id_for_label, bound.label)
    parts = (control, label) if is_box else (label, control)
    return format_html(
        '<div class="field{}">{}{}{}{}</div>', " form-check" if is_box else "", *parts, _errors(bound), _help(bound)
    )


def _errors(bound: BoundField) -> str:
    if not bound.errors:
        return ""
    errors = format_html_join("", "<p>{} <span>{}</span></p>", ((icon(ERROR_ICON), error) for error in bound.errors))
    return format_html('<div class="field-error" id="{}_error">{}</div>', bound.auto_id, errors)


def _help(bound: BoundField) -> str:
    if not bound.help_text:
        return ""
    return format_html('<div class="hint" id="{}_helptext">{}</div>', bound.auto_id, bound.help_text)


def _focus(bound: BoundField) -> dict[str, bool]:
    """Return the attribute that focuses the first field with an error, so that users see or hear what is wrong."""
    first_wrong = next((name for name in bound.form.fields if name in bound.form.errors), None)
    return {} if first_wrong is None else {"autofocus": bound.name == first_wrong}


def _input(context: Context) -> str:
    widget: Widget = context["widget"]
    value = "" if widget["value"] is None else f' value="{conditional_escape(widget["value"])}"'
    return f'<input type="{widget["type"]}" name="{conditional_escape(widget["name"])}"{value}{_attrs(widget)}>'


def _select(context: Context) -> str:
    widget: Widget = context["widget"]
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


RENDERERS: dict[str, Callable[[Context], str]] = {
    FormRenderer.form_template_name: _form,
    FormRenderer.field_template_name: _field,
    f"{FOLDER}select.html": _select,
    **{f"{FOLDER}{name}.html": _input for name in INPUTS},
}
