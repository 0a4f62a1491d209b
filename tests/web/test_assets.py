"""Style sheets and icons, with and without `collectstatic`."""

from __future__ import annotations

import json

from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.test.utils import override_settings

SHEET = "popadmin.css"


def test_a_checkout_serves_its_files_as_they_are(client):
    response = client.get(f"/static/{SHEET}")
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == (settings.BASE_DIR / "static" / SHEET).read_bytes()


def test_collected_files_are_kept_for_ever_under_names_with_a_digest(tmp_path, db):
    with override_settings(STATIC_ROOT=tmp_path):
        call_command("collectstatic", interactive=False, verbosity=0)
        names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
        page = Client().get("/sign-in/").content.decode()
        assert f"/static/{names[SHEET]}" in page
        assert names[SHEET] != SHEET
        response = Client().get(f"/static/{names[SHEET]}", headers={"accept-encoding": "gzip"})
        assert "immutable" in response["Cache-Control"]
        assert response["Content-Encoding"] == "gzip"
        response.close()


def test_no_style_sheet_needs_what_the_content_security_policy_forbids():
    for sheet in (settings.BASE_DIR / "static").glob("*.css"):
        assert "data:" not in sheet.read_text()
        assert "http" not in sheet.read_text()
