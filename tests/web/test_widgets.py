"""Inputs and selects are put together as Django's own templates would, whatever is in them."""

from __future__ import annotations

import re

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from popadmin.web.widgets import FOLDER, INPUTS, RENDERERS, Widgets

HARM = """<b> & "both" 'quotes'"""
ATTRS = {"class": "form-control", "autofocus": True, "hidden": False, "placeholder": HARM, "maxlength": 254}
CHOICES = [("", gettext_lazy("Domains")), (1, HARM), ("group", [("a", "A"), (HARM, SafeString("&nbsp;"))])]
WIDGETS = [
    forms.TextInput(ATTRS),
    forms.NumberInput(),
    forms.EmailInput(),
    forms.HiddenInput(),
    forms.PasswordInput(),
    forms.PasswordInput(render_value=True),
    forms.CheckboxInput(ATTRS),
    forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    forms.Select(ATTRS, choices=CHOICES),
    forms.SelectMultiple(choices=CHOICES),
    forms.Textarea(),  # by its template
    forms.RadioSelect(choices=CHOICES),  # and so is this
]


def squeezed(html: str) -> str:
    return re.sub(r">\s+", ">", re.sub(r"\s+<", "<", html.strip()))


@pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: type(widget).__name__)
@pytest.mark.parametrize("value", [None, "", HARM, SafeString("&amp;"), 1, "a", [HARM, 1], True, False], ids=repr)
def test_a_widget_is_what_its_template_makes_it(widget, value):
    shown = [widget.render(HARM, value, renderer=made()) for made in (Widgets, DjangoTemplates)]
    assert squeezed(shown[0]) == squeezed(shown[1])


def test_every_widget_that_is_put_together_here_has_such_a_template():
    for name in RENDERERS:
        DjangoTemplates().get_template(name)
    assert {f"{FOLDER}{name}.html" for name in INPUTS} <= RENDERERS.keys()
