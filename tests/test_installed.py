"""What a site made from installed packages keeps: its files lie where it is run, never among the packages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from popadmin.up import lock, site_pointer

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


# --- a command in another shell than `up`'s ---------------------------------------------------------------------------


@contextmanager
def site_that_runs(packages: Path, folder: Path) -> Iterator[Path]:
    """As `up` of these packages leaves it while it runs in `folder`; returns its data folder."""
    (folder / ".env").write_text("PUBLIC_HOSTNAME=pop.example.org\n")
    data_dir = folder / "mail"
    with lock.hold(data_dir), site_pointer.noted(site_pointer.Site(packages, folder, data_dir)):
        yield data_dir


@pytest.fixture
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.mark.usefixtures("nothing_said")
def test_a_command_from_elsewhere_finds_the_site_that_runs_with_its_settings(packages: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with site_that_runs(packages, tmp_path) as data_dir:
        found = settings(packages, elsewhere)
        assert found["DATA_DIR"] == str(data_dir)
        assert found["PUBLIC_HOSTNAME"] == "pop.example.org"
    assert settings(packages, elsewhere)["DATA_DIR"] == str(elsewhere / "var")


@pytest.mark.usefixtures("nothing_said")
def test_a_command_says_which_site_it_found(packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POPADMIN_DATA_DIR")
    monkeypatch.delenv("POPADMIN_GENERATE")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    program = [sys.executable, "-c", "from popadmin.main import main; main()", "domain", "list"]
    with site_that_runs(packages, tmp_path) as data_dir:
        done = subprocess.run(
            program, cwd=elsewhere, env={**os.environ, "PYTHONPATH": str(packages)}, capture_output=True, check=False
        )
    first, second = done.stderr.decode().splitlines()
    assert first == f"popadmin: POPADMIN_DATA_DIR is not set: {data_dir} is meant, which runs now"
    assert f"no popadmin runs on the data folder {data_dir}" in second  # its Postgres does not, in this test


@pytest.mark.usefixtures("nothing_said")
def test_what_says_which_site_is_meant_goes_before_the_one_that_runs(packages: Path, tmp_path: Path) -> None:
    own = tmp_path / "own" / "var"
    own.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with site_that_runs(packages, tmp_path):
        assert settings(packages, own.parent)["DATA_DIR"] == str(own)
        assert settings(packages, elsewhere, POPADMIN_DATA_DIR="/srv/x")["DATA_DIR"] == "/srv/x"
        assert settings(packages, elsewhere, DATABASE_URL="postgres://x@y/z")["DATA_DIR"] == str(elsewhere / "var")
        assert settings(packages, elsewhere, POPADMIN_GENERATE="true")["DATA_DIR"] == str(elsewhere / "var")


@pytest.mark.usefixtures("nothing_said")
def test_of_two_sites_none_is_guessed_and_none_of_another_program(packages: Path, tmp_path: Path) -> None:
    for name in ("first", "second", "elsewhere"):
        (tmp_path / name).mkdir()
    elsewhere = tmp_path / "elsewhere"
    with site_that_runs(packages, tmp_path / "first") as data_dir:
        with site_that_runs(packages, tmp_path / "second"):
            assert settings(packages, elsewhere)["DATA_DIR"] == str(elsewhere / "var")
        with site_that_runs(tmp_path / "another", tmp_path / "second"):
            assert settings(packages, elsewhere)["DATA_DIR"] == str(data_dir)


@pytest.mark.usefixtures("nothing_said")
def test_a_note_of_a_site_that_was_killed_or_that_is_cut_off_is_passed_over(packages: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / "mail"
    with site_pointer.noted(site_pointer.Site(packages, tmp_path, data_dir)):  # and nobody holds the folder
        assert settings(packages, tmp_path)["DATA_DIR"] == str(tmp_path / "var")
        with lock.hold(data_dir):
            assert site_pointer.the_only_one(packages)
            for note in site_pointer._folder().glob("*.json"):
                if str(packages) in note.read_text():
                    note.write_text(note.read_text()[:20])
            assert site_pointer.the_only_one(packages) is None
