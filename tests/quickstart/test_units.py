"""The units of quickstart: systemd takes them, and shuts them in."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from popadmin.quickstart import units
from tests.installed_program import program
from tests.up.programs import REPOSITORY

pytestmark = pytest.mark.real
EXPOSURE_MOST = 3.0  # of ten, as `systemd-analyze security` judges; below it says "OK"
PROGRAM = (sys.executable, str(REPOSITORY / "manage.py"))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    texts = {units.WHOLE: units.whole(PROGRAM)}
    texts |= {part.unit: units.part(part, PROGRAM, ("127.0.0.1:8000",), log_group="adm") for part in units.PARTS}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return [tmp_path / name for name in texts]


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("systemd-analyze"), *words], capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip


def test_systemd_understands_each(files: list[Path]) -> None:
    done = analyzed("verify", "--man=no", *map(str, files))
    assert (done.returncode, [line for line in done.stderr.splitlines() if "popadmin" in line]) == (0, [])


def test_each_is_shut_in(files: list[Path]) -> None:
    for file in files:
        said = analyzed("security", "--offline=true", "--no-pager", str(file)).stdout
        (exposure,) = re.findall(r"Overall exposure level for .*?: ([\d.]+)", said)
        assert float(exposure) <= EXPOSURE_MOST, file.name


def test_each_part_starts_its_own_command(files: list[Path]) -> None:
    starts = {file.name: re.search(r"^ExecStart=.*", file.read_text(), re.MULTILINE) for file in files}
    assert len({start and start[0] for start in starts.values()}) == len(files)
    for file in files:
        assert "@PROGRAM@" not in file.read_text()


def test_only_the_part_that_reads_the_log_may_read_it(files: list[Path]) -> None:
    reading = [file.name for file in files if "SupplementaryGroups=adm" in file.read_text()]
    assert reading == ["popadmin-mta-log.service"]
