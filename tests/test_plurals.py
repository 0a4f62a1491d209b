"""A number agrees with its noun: a text with both has a form for one, unless the number is never one."""

from __future__ import annotations

import re
from pathlib import Path

import polib

REPOSITORY = Path(__file__).resolve().parents[1]
CATALOGUE = REPOSITORY / "locale" / "fr" / "LC_MESSAGES" / "django.po"
NOUNS = (
    "addresses|admins|aliases|attempts|bodies|bytes|characters|columns|connections|copies|days|deletions|deliveries|"
    "devices|domains|entries|errors|fields|files|forwards|guesses|hours|letters|levels|lines|mailboxes|messages|minutes|"
    "months|names|networks|notices|octets|operations|others|passwords|people|policies|problems|programs|rows|seconds|"
    "sessions|sign-ins|targets|times|users|warnings|weeks|years"
)
COUNTED = re.compile(rf"%(?:\((\w+)\))?[sd]\N{{NO-BREAK SPACE}}?(?: (?:more|other|wrong|different))? ?\b({NOUNS})\b")
IN_CODE = re.compile(rf"\{{[^{{}}\"']+\}} (?:more )?(?:{NOUNS})\b")

# Numbers that are never one: limits and periods of the code, and what a detector reports only in the plural.
NEVER_ONE = {
    ("bytes", "typed_octets"), ("bytes", "address_octets"), ("bytes", "octets"), ("characters", "most"),
    ("characters", "characters"), ("levels", "levels"), ("targets", "most"), ("addresses", "most"), ("rows", "most"),
    ("columns", "most"), ("others", "number"), ("names", "names"), ("passwords", "passwords"), ("connections", "most"),
    ("days", "horizon"), ("sessions", "sessions"), ("octets", "octets"), ("hours", "hours"), ("networks", "networks"),
    ("fields", "count"), ("minutes", "minutes"),
}  # fmt: skip
# A question to which both answers are read with the number that was typed; and sentences of a form whose number is a
# field of it.
ONE_AS_WELL = {
    "%(number)s could be %(number)s bytes or %(number)s MB: write %(number)sMB, or %(number)sB for bytes",
    "No message is removed within %(days)s days.",  # the horizon of a forecast
    "Remove mail %(days)s days after it arrived, %(which)s",
    "Remove mail %(days)s days after every device has it",
    "Remove mail as soon as every device has it, but not before it is %(days)s days old",
    "Mail stops waiting for a device that is silent for %(days)s days.",
    "Removed mail stays in recovery for %(days)s days, up to %(size)s",
    "The diary is kept for %(days)s days.",
}


def test_a_text_that_counts_has_a_form_for_one() -> None:
    without = [entry for entry in polib.pofile(str(CATALOGUE)) if not (entry.obsolete or entry.msgid_plural)]
    assert [
        (entry.msgid, found[0])
        for entry in without
        for found in COUNTED.finditer(entry.msgid)
        if (found[2], found[1]) not in NEVER_ONE and entry.msgid not in ONE_AS_WELL
    ] == []


def test_both_forms_differ_in_each_language() -> None:
    """Where a translation repeats the form for many, somebody has copied it."""
    counted = [
        entry for entry in polib.pofile(str(CATALOGUE)) if entry.msgid_plural and COUNTED.search(entry.msgid_plural)
    ]
    assert len(counted) > 50
    assert [entry.msgid for entry in counted if entry.msgid == entry.msgid_plural] == []
    same = [entry.msgid for entry in counted if len({*entry.msgstr_plural.values()}) == 1]
    assert [msgid for msgid in same if not re.search(r"\b(alias|time)\b", msgid)] == [], "alias and fois have one form"


def test_the_shell_has_a_form_for_one() -> None:
    """Its texts are not translated. Replies to mail programs, statements and errors of ours are no texts for people."""
    found = [
        f"{path.relative_to(REPOSITORY)}: {text[0]}"
        for folder in ("mailstore/management", "popadmin/management", "popadmin/up")
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        for text in IN_CODE.finditer(path.read_text())
    ]
    assert found == ["mailstore/management/commands/policy.py: {HORIZON_DAYS} days"]
