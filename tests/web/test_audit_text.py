"""Audit entries as text: every verb that the code writes has a phrase, and values are written for people."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from django.utils.html import strip_tags

from mailstore.directory.fields.field import Kind
from mailstore.models import AuditEntry
from popadmin.web import audit_text
from popadmin.web.formats import exact

REPOSITORY = Path(__file__).resolve().parents[2]
RECORDERS = {"record", "_record", "entry"}


def verbs_of_the_code() -> Iterator[str]:
    """Return the texts with a dot in calls that make an entry, or that are passed to one as `verb`."""
    for path in [*REPOSITORY.glob("mailstore/**/*.py"), *REPOSITORY.glob("popadmin/**/*.py")]:
        source = path.read_text()
        if "audit" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in RECORDERS:
                yield from _texts(node)
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "verb":
                yield from _texts(node.value)


def _texts(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            head, dot, tail = part.value.partition(".")
            if dot and head.replace("_", "").isalpha() and tail.replace("-", "").replace("_", "").isalpha():
                yield part.value


def test_every_verb_has_its_words() -> None:
    written = set(verbs_of_the_code())
    assert {"mailbox.create", "mailbox_import.done"} <= written
    assert written - set(audit_text.VERBS) == set()


def test_an_entry_is_looked_for_by_the_ways_that_the_code_has() -> None:
    ways = set()
    for path in [*REPOSITORY.glob("mailstore/**/*.py"), *REPOSITORY.glob("popadmin/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Actor":
                ways.add(ast.literal_eval(node.args[1]))
    assert ways == {way.value for way in AuditEntry.Via}


def test_every_verb_can_be_filtered_by_its_kind() -> None:
    kinds = set(audit_text.KINDS) | {"language", "site"}
    assert {verb.partition(".")[0] for verb in audit_text.VERBS} <= kinds


@pytest.mark.parametrize(
    ("details", "lines"),
    [
        ({"changes": {"quota_octets": [None, 2**30]}}, ["quota: no limit → 1\xa0GB"]),
        ({"changes": {"pop": [True, False]}}, ["POP sign-in: yes → no"]),
        ({"changes": {"name": ["", "Ann"]}}, ["name: nothing → Ann"]),
        ({"changes": {"notes": [0, 9]}}, ["notes: nothing → 9 characters"]),
        (
            {"changes": {"expires_at": [None, "2026-11-26 09:45:04.016530+00:00"]}},
            ["expires: nothing → 2026-11-26 09:45:04 UTC"],
        ),
        (
            {"changes": {"policy_since": [None, "2026-11-26 09:45:04.016530+00:00"]}},
            ["old mail counts from: nothing → 2026-11-26 09:45:04 UTC"],
        ),
        ({"changes": {"expires_at": [None, "soon"]}}, ["expires: nothing → soon"]),
        (
            {"changes": {"relief": ["never", "every"]}},
            [
                "make room in a full mailbox: no: a full mailbox takes no mail → "
                "yes, the oldest mail that every device has"
            ],
        ),
        ({"mode": "peek", "was": "none"}, ["mode: View only", "before: Not for mail programs"]),
        ({"removed": 1234}, ["removed messages: 1,234"]),
        ({"targets": ["a@b.org", "c@d.org"]}, ["targets: a@b.org, c@d.org"]),
        ({}, []),
    ],
)
def test_what_changed_is_shown_in_words(details: dict[str, object], lines: list[str]) -> None:
    entry = AuditEntry(verb="mailbox.change", details=details)
    assert list(audit_text.details(entry, exact)) == lines
    assert [unescape(strip_tags(line)) for line in audit_text.details(entry)] == [
        line.replace("2026-11-26 09:45:04 UTC", "2026-11-26 09:45:04") for line in lines
    ]


def test_a_moment_that_changed_is_a_time_and_the_rest_is_escaped() -> None:
    details = {"changes": {"expires_at": ["<b>", "2026-11-26 09:45:04+00:00"]}}
    (line,) = audit_text.details(AuditEntry(verb="alias.change", details=details))
    assert line.startswith('expires: &lt;b&gt; → <time datetime="2026-11-26T09:45:04+00:00"')


def test_a_choice_is_shown_by_its_label_and_never_by_what_is_stored() -> None:
    choices = [field for table in audit_text._TABLES.values() for field in table if field.kind is Kind.CHOICE]
    assert choices
    for field in choices:
        assert [audit_text.value(field.name, value) for value in field.choices] == [
            str(field.choice_labels[value]) for value in field.choices
        ]


def test_a_domain_that_a_verb_names_is_told_in_its_own_script() -> None:
    entry = AuditEntry(verb="grant.create", details={"domain": "xn--bcher-kva.example"})
    assert audit_text.verb(entry) == "gave the administration of bücher.example to"


def test_a_verb_of_another_version_is_told_as_it_stands() -> None:
    assert audit_text.verb(AuditEntry(verb="mailbox.paint")) == "mailbox.paint"
