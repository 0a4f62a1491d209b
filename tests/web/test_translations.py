"""French is complete, and as fresh as the sources."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FRENCH = Path("locale/fr/LC_MESSAGES/django.po")


def test_nothing_lacks_its_french_and_nothing_is_a_guess():
    catalogue = polib.pofile(str(ROOT / FRENCH))
    assert [entry.msgid for entry in catalogue if not entry.translated()] == []
    assert [entry.msgid for entry in catalogue if entry.fuzzy or entry.obsolete] == []


def test_what_is_compiled_is_what_is_written():
    written = polib.pofile(str(ROOT / FRENCH))
    compiled = polib.mofile(str((ROOT / FRENCH).with_suffix(".mo")))
    assert {entry_of(entry) for entry in compiled} == {entry_of(entry) for entry in written}


@pytest.mark.real
def test_every_text_of_the_sources_is_in_the_catalogue(tmp_path):
    for folder in ("popadmin", "mailstore", "templates", "locale"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "django", "makemessages", "--locale=fr", "--no-location", "--no-obsolete"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    found = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(tmp_path / FRENCH))}
    kept = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(ROOT / FRENCH))}
    assert found - kept == set(), "run: manage.py makemessages -l fr --no-location --no-obsolete"
    assert kept - found == set()


def entry_of(entry: polib.POEntry | polib.MOEntry) -> tuple[object, ...]:
    return entry.msgctxt, entry.msgid, entry.msgstr, tuple(sorted(entry.msgstr_plural.items()))
