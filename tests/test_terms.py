"""One word means one thing: the texts of the catalogue against docs/terms.md, in both languages."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import polib
import pytest

from tests.management.commands.test_documentation import OURS
from tests.up.programs import REPOSITORY

PAGE = (REPOSITORY / "docs" / "terms.md").read_text()
CATALOGUE = [entry for entry in polib.pofile(str(REPOSITORY / "locale/fr/LC_MESSAGES/django.po")) if not entry.obsolete]
GUIDES = [path for path in (REPOSITORY / "docs").rglob("*.md") if path.name != "terms.md"] + [REPOSITORY / "README.md"]
# Code, and the names of commands and options, which are an interface.
CODE = re.compile(r"```.*?```|^ {4}.*?$|`[^`]*`", re.DOTALL | re.MULTILINE)
TECHNICAL = {"finding", "nothing new", "redirect", "log in"}  # in guides: a benchmark, a port, an attack
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def table(heading: str) -> list[list[str]]:
    """The cells of the rows of the table under a heading, without its head."""
    lines = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][2:]


def forms(cell: str) -> list[str]:
    return [form.strip().casefold() for form in cell.split(",")]


TERMS = {row[0]: (forms(row[2]), forms(row[3])) for row in table("Terms")}
UNUSED = table("Words that texts do not use")


def english(entry: polib.POEntry) -> list[str]:
    return [entry.msgid, *filter(None, [entry.msgid_plural])]


def french(entry: polib.POEntry) -> list[str]:
    return [*entry.msgstr_plural.values()] if entry.msgid_plural else [entry.msgstr]


TEXTS = {
    "en": [PLACEHOLDER.sub("…", text).casefold() for entry in CATALOGUE for text in english(entry)],
    "fr": [PLACEHOLDER.sub("…", text).casefold() for entry in CATALOGUE for text in french(entry)],
}


def has(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}", text) is not None


def without(text: str, phrases: list[str]) -> str:
    for phrase in filter(None, phrases):
        text = text.replace(phrase, "…")
    return text


@pytest.mark.parametrize(
    ("word", "language", "instead", "but_in"), UNUSED, ids=[f"{row[1]}-{row[0]}" for row in UNUSED]
)
def test_a_word_that_has_a_better_one_is_in_no_text(word: str, language: str, instead: str, but_in: str) -> None:
    found = [text for text in TEXTS[language] if has(without(text, forms(but_in)), word.casefold())]
    assert found == [], f"say instead: {instead}"


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_guide_uses_no_word_that_has_a_better_one(path: Path) -> None:
    language = "fr" if path.name == "fr.md" else "en"
    prose = CODE.sub("…", path.read_text()).casefold()
    unused = {word.casefold() for word, of, *_rest in UNUSED if of == language} - TECHNICAL
    assert [word for word in sorted(unused) if has(prose, word)] == []


def help_of(parser: argparse.ArgumentParser) -> str:
    """What `--help` says of a command, with that of its verbs, but for usage, examples and the names of verbs."""
    texts = [parser.description or "", *(action.help or "" for action in parser._actions)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            texts += [help_of(verb) for verb in action.choices.values()]
    return "\n".join(texts)


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_help_of_a_command_uses_no_word_that_has_a_better_one(name: str) -> None:
    said = help_of(OURS[name].create_parser("popadmin", name)).casefold()
    unused = {word.casefold() for word, language, *_rest in UNUSED if language == "en"} - TECHNICAL
    assert [word for word in sorted(unused) if has(said, word)] == []


def test_french_texts_have_typographic_apostrophes() -> None:
    assert [text for entry in CATALOGUE for text in french(entry) if "'" in text] == []


@pytest.mark.parametrize("term", TERMS)
def test_every_term_is_used_in_both_languages(term: str) -> None:
    for language, words in zip(("en", "fr"), TERMS[term], strict=True):
        assert any(has(text, words[0]) for text in TEXTS[language]), f"{words[0]} is in no text: drop it from the page"


@pytest.mark.parametrize("term", TERMS)
def test_a_text_that_is_a_term_alone_has_its_french(term: str) -> None:
    in_english, in_french = TERMS[term]
    alone = {
        text.casefold()
        for entry in CATALOGUE
        if entry.msgid.casefold().strip("…. ") in in_english
        for text in french(entry)[:1]
    }
    assert {text.strip("…. \N{NO-BREAK SPACE}") for text in alone} <= set(in_french)


def test_no_word_is_both_a_term_and_unused() -> None:
    unused = {(language, word.casefold()) for word, language, _instead, _but_in in UNUSED}
    used = {("en", word) for words, _ in TERMS.values() for word in words}
    used |= {("fr", word) for _, words in TERMS.values() for word in words}
    assert unused & used == set()


def test_an_english_form_belongs_to_one_term() -> None:
    words = [word for in_english, _ in TERMS.values() for word in in_english]
    assert len(words) == len(set(words))
