"""systemd accepts the units of docs/install.md; only the paths of programs differ."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import install_guide
from tests.installed_program import program
from tests.up.programs import REPOSITORY

pytestmark = pytest.mark.real


def units() -> dict[str, str]:
    """The unit of the whole site, and with the commands of the table those of its parts."""
    whole = install_guide.block("`/etc/systemd/system/popadmin.service`")
    rows = re.findall(r"^\| `(popadmin-\w+)` \| `(.+)` \|$", install_guide.INSTALL.read_text(), re.MULTILINE)
    assert len(rows) == 4
    parts = {name: re.sub(r"ExecStart=(.+/).*", rf"ExecStart=\g<1>{command}", whole) for name, command in rows}
    return {"popadmin": whole, **parts}


def test_every_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    for name, text in units().items():
        here = text.replace("/opt/popadmin/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / f"{name}.service").write_text(here.replace("/opt/popadmin", str(REPOSITORY)))
    done = subprocess.run(
        [program("systemd-analyze"), "verify", *sorted(tmp_path.glob("*.service"))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # What is said of units that the distribution brings is not about ours.
    assert (done.returncode, [line for line in done.stderr.splitlines() if "popadmin" in line]) == (0, [])
