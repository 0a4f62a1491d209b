"""Each field of the tables reaches the shell, JSON, files, forms, bulk changes and the audit; none is forgotten."""

from __future__ import annotations

import argparse
import csv
import datetime
import json
from io import StringIO
from typing import Any

import pytest
from django import forms
from django.core.management import call_command, load_command_class
from django.db.models import Model
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from mailstore.directory import aliases, devices, domains, grants, mailboxes, policies
from mailstore.directory.fields.domain import ADMIN, ALIAS, DOMAIN, AliasValues, DomainValues
from mailstore.directory.fields.field import Field, Kind, Surface, Table
from mailstore.directory.fields.mailbox import DEVICE, MAILBOX, MailboxValues
from mailstore.directory.fields.policy import POLICY, PolicyRules
from mailstore.models import Alias, AuditEntry, Domain, Mailbox, RetentionPolicy
from mailstore.transfer import file_columns, mailbox_columns, row_reader
from popadmin.panel.bulk_actions import SwitchesForm
from popadmin.panel.forms.domains import NewDomain
from popadmin.panel.forms.mailboxes import NewMailbox
from popadmin.panel.forms.policies import PolicyForm, values
from popadmin.web import audit_text
from tests.site.page_users import an_admin, signed_in
from tests.site.rows import ACTOR, a_domain, a_mailbox

ANN = "ann@example.org"
TABLES: dict[str, Table] = {
    "mailbox": MAILBOX,
    "domain": DOMAIN,
    "alias": ALIAS,
    "device": DEVICE,
    "policy": POLICY,
    "admin": ADMIN,
}
FIELDS = [pytest.param(noun, field, id=f"{noun}.{field.name}") for noun, table in TABLES.items() for field in table]
VERBS = {"device": "add"}  # which sets the fields, where it is not `ensure`
PAGES = {
    "mailbox": "/mailboxes/new/",
    "domain": "/domains/new/",
    "alias": "/aliases/new/",
    "device": "/devices/connect/",
    "policy": "/policies/new/",
    "admin": "/admins/new/",
}
# The audit has these as the subject of an entry of their own, so it calls one by what it is.
NAMED_BY_VERB = {("device", "name"), ("admin", "domains")}  # the sentence of the entry has them
AUDIT_LABELS = {("device", "name"): "device", ("admin", "domains"): "domain"}
NOT_SET_BY_PEOPLE: dict[type[Model], set[str]] = {
    Mailbox: {"id", "user", "domain"},
    Domain: {"id", "name"},
    Alias: {"id", "address", "domain", "mailbox"},
    RetentionPolicy: {"id", "name"},
}


def other_value(field: Field) -> Any:
    """A value that a new row does not have."""
    values = {
        Kind.TEXT: "Some text",
        Kind.SWITCH: not field.default,
        Kind.SIZE: 5 * 2**20,
        Kind.COUNT: 7,
        Kind.DAYS: 11,
        Kind.DAYS_OR_NEVER: 11,
        Kind.SERVER: "pop3s://mail.old.example",
        Kind.LAST_DAY: timezone.now() + datetime.timedelta(days=9),
        Kind.ADDRESSES: ["bob@example.com"],
    }
    if field.kind is Kind.CHOICE:
        return next(choice for choice in field.choices if choice != field.default)
    if field.kind is Kind.POLICY:
        return policies.ensure("Brief", actor=ACTOR).row
    if field.kind is Kind.DOMAIN:
        return domains.ensure("other.org", actor=ACTOR).row
    return values[field.kind]


def options(noun: str) -> dict[str, argparse.Action]:
    """The options of the verb that sets the fields, by what they set."""
    parser = load_command_class("mailstore", noun).create_parser("popadmin", noun)
    (verbs,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    found = verbs.choices[VERBS.get(noun, "ensure")]._actions
    return {option: action for action in found for option in action.option_strings}


@pytest.mark.parametrize(("noun", "field"), FIELDS)
def test_a_field_is_an_option_of_its_command(noun: str, field: Field) -> None:
    found = options(noun)
    there = [option for option in field.shell_options if option in found and found[option].dest == field.name]
    assert there == ([] if Surface.SHELL in field.absent else list(field.shell_options))


@pytest.mark.django_db
@pytest.mark.parametrize("noun", ["mailbox", "domain", "alias", "device", "policy"])
def test_a_field_is_a_key_of_json(noun: str) -> None:
    a_mailbox(ANN)
    aliases.ensure("info@example.org", [ANN], actor=ACTOR)
    devices.add(ANN, "Phone", actor=ACTOR)
    policies.ensure("Brief", actor=ACTOR)
    out = StringIO()
    call_command(noun, "list", *([ANN] if noun == "device" else []), "--json", stdout=out)
    row = json.loads(out.getvalue())[0]
    assert {field.json_key for field in TABLES[noun]} & set(row) == {
        field.json_key for field in TABLES[noun].on(Surface.JSON)
    }


@pytest.mark.django_db
@pytest.mark.parametrize("field", MAILBOX.fields, ids=lambda field: field.name)
def test_a_field_is_a_column_that_is_read_as_it_was_written(field: Field) -> None:
    assert (field.name in mailbox_columns.COLUMNS) == (Surface.FILE not in field.absent)
    if Surface.FILE in field.absent:
        return
    value = other_value(field)
    a_domain()
    mailbox = mailboxes.ensure(ANN, actor=ACTOR, **{field.name: value}).row
    reader = row_reader.Reader(
        [field.name], [[str(mailbox_columns.cell(field.name, mailbox))]], RetentionPolicy.objects.all(), None
    )
    assert reader.values([str(mailbox_columns.cell(field.name, mailbox))]) == {field.name: value}


def exported(client: Client, url: str, key: str) -> dict[str, str]:
    """The row of this key, its first cell, in the file that a list exports."""
    text = client.get(url, {"export": "csv"}).getvalue().decode("utf-8-sig")
    (row,) = (row for row in csv.DictReader(StringIO(text)) if key in row.values())
    return row


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("noun", "url", "key"),
    [("mailbox", "/mailboxes/", ANN), ("domain", "/domains/", "new.org"), ("alias", "/aliases/", ANN)],
)
def test_a_field_is_a_column_of_the_exported_list(noun: str, url: str, key: str) -> None:
    an_admin()
    root = signed_in("root")
    if noun == "domain":
        a_domain(key)
    else:
        a_mailbox(ANN)
    if noun == "alias":
        aliases.ensure(ANN, ["carl@example.com"], actor=ACTOR, keep_copy=False)
    before = exported(root, url, key)
    change_all(noun)
    after = exported(root, url, key)
    columns = {field.name: str(field.heading) for field in TABLES[noun].on(Surface.FILE)}
    assert [name for name, heading in columns.items() if before[heading] == after[heading]] == []


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("field", MAILBOX.on(Surface.FILE), ids=lambda field: field.name)
def test_a_column_is_known_by_the_heading_of_an_export_and_by_its_name(field: Field, language: str) -> None:
    with translation.override(language):
        heading = str(mailbox_columns.COLUMNS[field.name].heading)
    assert (
        file_columns.guess("mailboxes", [heading], [""])
        == file_columns.guess("mailboxes", [field.name], [""])
        == [field.name]
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("noun", "table"), TABLES.items(), ids=TABLES)
def test_a_field_is_asked_for_on_the_page_of_its_form(noun: str, table: Table) -> None:
    an_admin()
    a_mailbox(ANN)
    page = signed_in(ANN if noun == "device" else "root").get(PAGES[noun])
    asked = {name for name in table.names() if f' name="{name}"' in page.text}
    assert asked == {field.name for field in table.on(Surface.FORM)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "template"),
    [
        (lambda more: type("More", (more, NewMailbox), {})(user=an_admin()), "panel/mailbox_form.html"),
        (lambda more: type("More", (more, NewDomain), {})(user=an_admin()), "panel/domain_form.html"),
        (lambda more: type("More", (more, PolicyForm), {})(now=values(RetentionPolicy())), "panel/policy_form.html"),
    ],
    ids=["mailbox", "domain", "policy"],
)
def test_a_field_that_no_template_names_is_shown_too(form: Any, template: str) -> None:
    class More(forms.Form):
        new_field = forms.CharField()

    assert ' name="new_field"' in render_to_string(template, {"form": form(More)})


@pytest.mark.parametrize(
    "field", [field for field in MAILBOX if field.kind is Kind.SWITCH], ids=lambda field: field.name
)
def test_a_switch_is_set_for_many_mailboxes_at_once(field: Field) -> None:
    assert (field.name in SwitchesForm(None).fields) == (Surface.BULK not in field.absent)


@pytest.mark.django_db
def test_a_switch_of_many_mailboxes_finds_those_that_have_it_whichever_row_holds_the_column() -> None:
    a_mailbox(ANN)
    switches = [field for field in MAILBOX if field.kind is Kind.SWITCH]
    for value in (True, False):
        found = {field.name for field in switches if Mailbox.objects.filter(field.query(value)).exists()}
        assert found == {field.name for field in switches if field.default is value}


def change_all(noun: str) -> None:
    """Give every field of the row another value than a new row has."""
    values = {field.name: other_value(field) for field in TABLES[noun]}
    if noun == "mailbox":
        a_domain()
        mailboxes.ensure(ANN, actor=ACTOR, **values)
    elif noun == "domain":
        domains.ensure("new.org", actor=ACTOR, **values)
    elif noun == "policy":
        policies.ensure("New", actor=ACTOR, **values)
    elif noun == "device":
        a_mailbox(ANN)
        devices.add(ANN, actor=ACTOR, **values)
    elif noun == "admin":
        a_domain()
        grants.ensure("carla", ["example.org"], actor=ACTOR)
    else:
        a_mailbox(ANN)
        aliases.ensure(ANN, values.pop("targets"), actor=ACTOR, **values)


@pytest.mark.django_db
@pytest.mark.parametrize("noun", TABLES)
def test_the_audit_tells_of_every_field_by_its_label(noun: str) -> None:
    change_all(noun)
    text = "\n".join(audit_text.details(AuditEntry.objects.latest("pk")))
    fields = [field for field in TABLES[noun] if (noun, field.name) not in NAMED_BY_VERB]
    labels = {field.name: AUDIT_LABELS.get((noun, field.name), field.label) for field in fields}
    assert [name for name, label in labels.items() if f"{label}: " not in text] == []


@pytest.mark.parametrize(
    ("table", "values", "apart"),
    [
        (MAILBOX, MailboxValues, {"policy_at_once"}),
        (DOMAIN, DomainValues, {"policy_at_once"}),
        (ALIAS, AliasValues, {"targets"}),
        (POLICY, PolicyRules, set()),
    ],
)
def test_a_field_has_its_type(table: Table, values: Any, apart: set[str]) -> None:
    assert set(values.__annotations__) ^ set(table.names()) == apart


@pytest.mark.parametrize("model", NOT_SET_BY_PEOPLE, ids=lambda model: model.__name__)
def test_a_column_that_people_set_is_a_field(model: type[Model]) -> None:
    ours = {field.column_name for table in TABLES.values() for field in table if field.model is model}
    editable = {column.name for column in model._meta.fields if column.editable}
    assert editable - NOT_SET_BY_PEOPLE[model] - {"last_sign_in_at", "created_at"} == ours


@pytest.mark.parametrize(("noun", "field"), FIELDS)
def test_a_field_has_a_label_of_its_own_only_where_the_column_has_none(noun: str, field: Field) -> None:
    columns = {column.name for column in field.model._meta.fields}
    assert (field.own_label is None) == (field.name in columns)
    assert str(field.label)
