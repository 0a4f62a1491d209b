"""What a site made from installed packages keeps: its files lie where it is run, never among the packages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SHOW = """
import json
from django.conf import settings
print(json.dumps({name: str(getattr(settings, name)) for name in (
    "DATA_DIR", "TLS_CERT_FILE", "TLS_KEY_FILE", "PUBLIC_HOSTNAME", "PAGES_DIR")}))
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the wheel lies (pyproject.toml): the two packages, with the pages' folders inside `popadmin`."""
    folder = tmp_path_factory.mktemp("site-packages")
    for package in ("popadmin", "mailstore"):
        shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "popadmin" / "templates").mkdir()
    return folder


def settings(packages: Path, cwd: Path, **environment: str) -> dict[str, str]:
    ours = ("POPADMIN_", "PUBLIC_", "TLS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=cwd,
        env={
            **kept,
            "PYTHONPATH": str(packages),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "popadmin.settings",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_keys_and_mail_of_an_installed_site_do_not_go_with_the_next_upgrade_of_the_package(
    packages: Path, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PUBLIC_HOSTNAME=pop.example.org\n")
    found = settings(packages, tmp_path)
    assert found["DATA_DIR"] == str(tmp_path / "var")
    assert found["PUBLIC_HOSTNAME"] == "pop.example.org"
    assert found["PAGES_DIR"] == str(packages / "popadmin")


def test_in_a_checkout_they_lie_beside_manage_py_wherever_it_is_run_from(tmp_path: Path) -> None:
    assert settings(REPOSITORY, tmp_path)["DATA_DIR"] == str(REPOSITORY / "var")


def test_an_empty_path_is_one_that_is_not_set(packages: Path, tmp_path: Path) -> None:
    found = settings(packages, tmp_path, POPADMIN_DATA_DIR="", TLS_CERT_FILE="", TLS_KEY_FILE=" ")
    assert found["DATA_DIR"] == str(tmp_path / "var")
    assert found["TLS_CERT_FILE"] == str(tmp_path / "var" / "tls" / "cert.pem")
    assert found["TLS_KEY_FILE"] == str(tmp_path / "var" / "tls" / "key.pem")
