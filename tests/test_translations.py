"""French is complete, its compiled form is the one of its source, and no text of the code is missing from it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
CATALOGUE = REPOSITORY / "locale" / "fr" / "LC_MESSAGES" / "django.po"
SOURCES = ("popadmin", "mailstore", "templates", "locale")
ALONE = re.compile(
    r'(?:\{% translate |\b(?:_|gettext|gettext_lazy)\()"([^"]+)"(?: %}| as |\))'
)  # without context or number


@pytest.fixture(scope="module")
def french() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def texts(file: polib.POFile | polib.MOFile) -> dict[tuple[str | None, str], object]:
    return {(entry.msgctxt, entry.msgid): entry.msgstr_plural or entry.msgstr for entry in file if not entry.obsolete}


def test_every_text_has_its_french(french: polib.POFile) -> None:
    assert [entry.msgid for entry in french.untranslated_entries() + french.fuzzy_entries()] == []


def test_nothing_is_kept_that_the_code_no_longer_says(french: polib.POFile) -> None:
    assert [entry.msgid for entry in french.obsolete_entries()] == []


def test_french_parts_high_punctuation_by_a_space_that_does_not_break(french: polib.POFile) -> None:
    breaks = re.compile(r" [:;?»]|« ")
    said = {entry.msgid: [entry.msgstr, *entry.msgstr_plural.values()] for entry in french}
    assert [msgid for msgid, texts in said.items() if any(map(breaks.search, texts))] == []


def test_the_compiled_catalogue_is_made_of_this_source(french: polib.POFile) -> None:
    assert texts(polib.mofile(str(CATALOGUE.with_suffix(".mo")))) == texts(french)


def test_placeholders_are_the_same_in_both_languages(french: polib.POFile) -> None:
    def placeholders(text: str) -> set[str]:
        return {part.partition(")")[0] for part in text.split("%(")[1:]}

    different = [
        entry.msgid
        for entry in french
        if entry.msgstr and not entry.obsolete and placeholders(entry.msgid) != placeholders(entry.msgstr)
    ]
    assert different == []


def test_no_text_stands_alone_that_is_the_singular_of_a_plural_too(french: polib.POFile) -> None:
    """The catalogue has such a text once, with its plural, and gettext finds it only with a number."""
    counted = {entry.msgid for entry in french if entry.msgid_plural and not entry.msgctxt}
    files = [path for folder in SOURCES for path in (REPOSITORY / folder).rglob("*") if path.suffix in (".html", ".py")]
    alone = {text for path in files for text in ALONE.findall(path.read_text())}
    assert alone & counted == set()


@pytest.mark.real
def test_the_catalogue_has_exactly_the_texts_of_the_code(french: polib.POFile, tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("gettext is not installed")
    for folder in SOURCES:
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale=fr", "--no-location", "--no-wrap"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        timeout=120,
        check=True,
    )
    collected = polib.pofile(str(tmp_path / CATALOGUE.relative_to(REPOSITORY)))
    assert set(texts(collected)) == set(texts(french))
