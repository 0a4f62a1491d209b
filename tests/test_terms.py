"""One word means one thing: the texts of the catalogue against docs/terms.md, in both languages."""

from __future__ import annotations

import re

import polib
import pytest

from tests.up.programs import REPOSITORY

PAGE = (REPOSITORY / "docs" / "terms.md").read_text()
CATALOGUE = [entry for entry in polib.pofile(str(REPOSITORY / "locale/fr/LC_MESSAGES/django.po")) if not entry.obsolete]
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
