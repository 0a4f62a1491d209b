"""Forms have the HTML of our pages; inputs and selects are what Django's own templates would make of them."""

from __future__ import annotations

import re

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from popadmin.web.form_fields import Option, OptionField
from popadmin.web.form_renderer import FOLDER, INPUTS, RENDERERS, FormRenderer

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
    widgets = [widget.render(HARM, value, renderer=made()) for made in (FormRenderer, DjangoTemplates)]
    assert squeezed(widgets[0]) == squeezed(widgets[1])


def test_every_widget_that_is_put_together_here_has_such_a_template():
    for name in RENDERERS:
        DjangoTemplates().get_template(name)
    assert {f"{FOLDER}{name}.html" for name in INPUTS} <= RENDERERS.keys()


class Example(forms.Form):
    name = forms.CharField(help_text=HARM)
    active = forms.BooleanField(required=False)
    kind = forms.ChoiceField(choices=CHOICES, required=False)
    mode = OptionField((Option("a", "A", HARM), Option("b", "B")), initial="b")
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self) -> None:
        self.add_error(None, HARM)


def test_a_form_has_its_errors_first_then_its_fields_then_what_is_hidden() -> None:
    page = str(Example({"mode": "a"}))
    assert page.startswith('<div class="line line-bad" role="alert">')
    assert "<strong>&lt;b&gt; &amp; &quot;both&quot; &#x27;quotes&#x27;</strong>" in page
    marks = ['name="name"', 'name="active"', 'name="kind"', 'name="mode"', '<input type="hidden" name="seen"']
    places = [page.index(mark) for mark in marks]
    assert places == sorted(places)


def test_a_hidden_field_has_no_label_that_could_be_seen() -> None:
    assert Example()["seen"].as_field_group() == '<input type="hidden" name="seen" id="id_seen">'


def test_a_field_is_linked_to_its_label_its_help_and_its_errors_and_the_first_wrong_one_has_the_focus() -> None:
    form = Example({"mode": "a"})
    name, active = form["name"].as_field_group(), form["active"].as_field_group()
    assert '<label for="id_name">Name</label><input type="text"' in name
    assert 'aria-describedby="id_name_helptext id_name_error"' in name
    assert '<div class="field-error" id="id_name_error"><p>' in name
    assert "<span>This field is required.</span>" in name
    assert '<div class="hint" id="id_name_helptext">&lt;b&gt;' in name
    assert " autofocus" in name
    assert " autofocus" not in active
    assert active.endswith('<label for="id_active">Active</label></div>')
    assert 'class="form-select"' in form["kind"].as_field_group()


def test_wrong_fields_are_counted_and_linked_from_two_on() -> None:
    class Two(Example):
        active = forms.BooleanField()

    page = str(Two({}))
    links = '<a href="#id_name">Name</a>, <a href="#id_active">Active</a>, <a href="#id_mode_0">Mode</a>'
    assert f"<strong>3 fields need a look:</strong> {links}</div>" in page
    assert "need a look" not in str(Example({"mode": "a"}))


def test_options_are_radio_buttons_each_described_by_its_explanation() -> None:
    page = squeezed(Example({"mode": "a"})["mode"].as_field_group())
    assert page.count('type="radio"') == 2
    assert page.count(" checked") == 1
    assert re.search(r'value="a"\s+id="id_mode_0" checked\s+aria-describedby="id_mode_0_line"', page)
    assert '<small id="id_mode_0_line">&lt;b&gt;' in page
    assert "id_mode_1_line" not in page
