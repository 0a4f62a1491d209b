"""The public page: each program with its steps and the values of this site, and no secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import translation
from django.utils.html import escape

from popadmin.connect.program_steps import LABELS, PROGRAMS
from popadmin.connect.qr_code import qr_code

pytestmark = pytest.mark.django_db
OWNERS = Path(__file__).resolve().parents[2] / "docs" / "owners"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_each_program_has_its_steps_and_the_values_in_its_order(client, program):
    page = client.get(f"/setup/?program={program.name}").content.decode()
    assert all(str(escape(step)) in page for step in program.steps)
    assert str(escape(program.note)) in page
    places = [page.index(f"<dt>{LABELS[name]}</dt>") for name in program.asks]
    assert places == sorted(places)
    for value in ("mail.example.test", "1995", "465", "STARTTLS", "SSL/TLS"):
        assert value in page
    assert f"/devices/connect/?program={program.name}" in page


@pytest.mark.parametrize(("language", "below"), [("en", " below"), ("fr", " ci-dessous")])
def test_the_owners_guide_has_the_steps_of_each_outlook_in_the_words_of_the_page(language, below):
    guide = " ".join((OWNERS / f"{language}.md").read_text().split())
    with translation.override(language):
        for program in PROGRAMS:
            if program.name.startswith("outlook"):
                for text in (program.label, *program.steps, program.note):
                    assert " ".join(str(text).replace(below, "").split()) in guide


def test_without_a_program_the_values_stand_for_any(client):
    for path in ("/setup/", "/setup/?program=telepathy"):
        page = client.get(path).content.decode()
        assert "In any program" in page
        assert 'id="copy-host">mail.example.test<' in page


def test_the_code_opens_the_page_of_the_same_program_on_a_phone(client):
    assert client.get("/setup/?program=k9").context["qr"].text == "http://testserver/setup/?program=k9"
    assert client.get("/setup/").context["qr"].text == "http://testserver/setup/"


def test_a_site_without_submission_says_whom_to_ask(client, settings):
    settings.PUBLIC_SUBMISSIONS_PORT = settings.PUBLIC_SUBMISSION_PORT = None
    page = client.get("/setup/").content.decode()
    assert "ask your administrator" in page
    assert "465" not in page


def test_the_code_is_drawn_as_squares_inside_a_quiet_zone():
    drawn = qr_code("hello")
    assert drawn.side == 21 + 8
    assert drawn.path.startswith("M4 4h7v1h-7z")  # the top of the first finder pattern
