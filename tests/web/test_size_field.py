"""A size is a number with its unit beside it; whatever people write elsewhere is understood, nothing is guessed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.utils import translation

from popadmin.web.form_fields import SizeField

KB, MB, GB, TB = 2**10, 2**20, 2**30, 2**40


class Quota(forms.Form):
    quota = SizeField(required=False)


def read(text: str, unit: str | None = None, *, confirmed: bool = True) -> Any:
    """Return what the form understands, or its error. `confirmed`: a size below 1 MB is meant."""
    data = {"quota": text, **({"quota_unit": unit} if unit else {}), **({"quota_small": "on"} if confirmed else {})}
    form = Quota(data)
    return form.cleaned_data["quota"] if form.is_valid() else form.errors["quota"][0]


@pytest.mark.parametrize(
    ("text", "unit", "octets"),
    [
        ("2", "GB", 2 * GB), ("500", "MB", 500 * MB), ("1.5", "GB", 1536 * MB), ("1,5", "GB", 1536 * MB),
        ("1 500", "MB", 1500 * MB), ("1\u202f500", "MB", 1500 * MB), ("7", "KB", 7 * KB), ("3", "TB", 3 * TB),
        ("2147483648", "B", 2 * GB), ("0", "B", 0), (" 2 ", "GB", 2 * GB),
    ],
)  # fmt: skip
def test_a_number_takes_the_chosen_unit(text: str, unit: str, octets: int) -> None:
    assert read(text, unit) == octets


@pytest.mark.parametrize("unit", [None, "MB", "GB", "B"])
@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("2 GB", 2 * GB), ("500MB", 500 * MB), ("1,5 Go", 1536 * MB), ("500\xa0Mo", 500 * MB), ("2g", 2 * GB),
        ("10 octets", 10), ("10B", 10), ("none", None), ("Aucune", None), ("no limit", None), ("", None), ("  ", None),
    ],
)  # fmt: skip
def test_pasted_text_keeps_its_own_unit(text: str, unit: str | None, octets: int | None) -> None:
    assert read(text, unit) == octets


@pytest.mark.parametrize(
    ("text", "unit", "error"),
    [
        ("lots", "MB", "Write a number, such as 500 or 1.5."),
        ("1024", None, "write 1024MB, or 1024B for bytes"),
        ("2147483648", None, "could be 2147483648 bytes or 2147483648 MB"),
        ("1024", "quarts", "write 1024MB, or 1024B for bytes"),
        ("1,500", "MB", "without a thousands separator"),
        ("1,000,000 KB", None, "without a thousands separator"),
        ("0", "GB", "write none for no limit, or 0B for no mail"),
        ("9999999", "TB", "is above the largest size"),
        ("1.5", "B", "Write a number, such as"),
    ],
)
def test_an_error_says_what_to_type(text: str, unit: str | None, error: str) -> None:
    assert error in read(text, unit)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("octets", [None, 0, 1, 1000, KB, 100_000, MB, 1536 * MB, GB, GB + 1, 5 * TB, 2**60])
def test_each_size_that_a_form_shows_reads_back_exactly(octets: int | None, language: str) -> None:
    with translation.override(language):
        page = str(Quota(initial={"quota": octets})["quota"])
        number = re.search(r'<input [^>]*value="([^"]*)"', page)
        unit = re.search(r'<option value="(\w+)" selected', page)
        assert unit is not None
        confirmed = {"quota_small": "on"} if 'name="quota_small"' in page and " checked" in page else {}
        assert read(number[1] if number else "", unit[1], confirmed=bool(confirmed)) == octets
        shown = {"quota": number[1] if number else "", "quota_unit": unit[1], **confirmed}
        assert not Quota(shown, initial={"quota": octets}).changed_data


@pytest.mark.parametrize(
    ("text", "unit"), [("10", "B"), ("7", "KB"), ("0", "B"), ("10B", "GB"), ("7 KB", None), ("0.9", "MB")]
)
def test_a_size_below_1_mb_is_confirmed_whatever_its_unit(text: str, unit: str | None) -> None:
    assert read(text, unit, confirmed=False) == (
        "Less than 1 MB is hardly room for a message. Tick the box below if it is meant."
    )
    assert isinstance(read(text, unit), int)
    data = {"quota": text} if unit is None else {"quota": text, "quota_unit": unit}
    page = str(Quota(data)["quota"])
    assert re.search(r'<input type="checkbox" name="quota_small" class="form-check-input" id="id_quota_small">', page)
    assert 'id="id_quota_small" checked' in str(Quota({**data, "quota_small": "on"})["quota"])


def test_a_larger_size_has_no_box_to_confirm_it() -> None:
    for quota in (None, MB, 2 * GB):
        assert "checkbox" not in str(Quota(initial={"quota": quota})["quota"])
    assert "checkbox" not in str(Quota({"quota": "lots", "quota_unit": "MB"})["quota"])


def test_the_usual_units_are_offered_and_the_one_that_the_size_needs() -> None:
    def offered(octets: int | None) -> list[str]:
        return re.findall(r'<option value="(\w+)"', str(Quota(initial={"quota": octets})["quota"]))

    assert offered(None) == offered(5 * MB) == ["MB", "GB"]
    assert offered(5 * KB) == ["KB", "MB", "GB"]
    assert offered(5 * TB) == ["MB", "GB", "TB"]
    assert offered(5) == ["B", "MB", "GB"]


def test_what_was_typed_stays_after_an_error_elsewhere() -> None:
    page = str(Quota({"quota": "1,5 Go"})["quota"])
    assert 'value="1,5"' in page
    assert '<option value="GB" selected>' in page
    assert 'value="lots"' in str(Quota({"quota": "lots", "quota_unit": "MB"})["quota"])


@pytest.mark.parametrize("text", ["abc", "", "1,500", "-2"])
def test_the_chosen_unit_stays_beside_what_is_no_size(text: str) -> None:
    page = str(Quota({"quota": text, "quota_unit": "MB"}, initial={"quota": 2 * MB})["quota"])
    assert '<option value="MB" selected>' in page


def test_the_label_names_the_number_and_the_unit_has_a_name_of_its_own() -> None:
    group = Quota()["quota"].as_field_group()
    assert '<label for="id_quota"' in group
    assert re.search(r'<input [^>]*id="id_quota"[^>]*inputmode="decimal"', group)
    assert re.search(r'<select name="quota_unit" class="form-select" id="id_quota_unit" aria-label="Unit"', group)
