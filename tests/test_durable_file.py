"""Small files survive a power cut: their octets and their names are on the disk before anybody is told."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mailstore import durable_file
from tests import listeners
from tests.up.programs import REPOSITORY

WRITE = """
import sys
from pathlib import Path
from mailstore import durable_file
getattr(durable_file, sys.argv[1])(Path(sys.argv[2]), b"content")
print("done", flush=True)
"""


@pytest.mark.real
@pytest.mark.parametrize("function", ["write", "create"])
def test_octets_are_synced_before_the_name_and_the_folder_before_anybody_is_told(tmp_path: Path, function: str) -> None:
    file, trace = tmp_path / "kept", tmp_path / "trace"
    calls = "trace=write,fsync,rename,renameat,renameat2,link,linkat"
    strace = [listeners.program("strace"), "-f", "-y", "-e", calls, "-o", str(trace)]
    subprocess.run([*strace, sys.executable, "-c", WRITE, function, str(file)], check=True, cwd=REPOSITORY)
    lines = trace.read_text().splitlines()

    def at(*words: str) -> int:
        return max(index for index, line in enumerate(lines) if all(word in line for word in words))

    named = at("rename" if function == "write" else "link", f'"{file}"')
    assert at("write(", "content") < at("fsync(", f"<{file}.") < named < at("fsync(", f"<{tmp_path}>") < at("done")


def test_a_new_content_takes_the_place_of_the_old_and_nothing_else_stays(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    durable_file.write(file, b"old")
    durable_file.write(file, b"new", mode=0o644)
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    durable_file.create(file, b"first")
    with pytest.raises(FileExistsError):
        durable_file.create(file, b"second")
    assert file.read_bytes() == b"first"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_what_is_damaged_is_set_aside_as_often_as_need_be(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    aside = []
    for content in (b"one", b"two", b"three"):
        file.write_bytes(content)
        aside.append(durable_file.set_aside(file))
    assert not file.exists()
    assert [each.read_bytes() for each in aside] == [b"one", b"two", b"three"]
    assert all(each.name.startswith("kept.damaged-") for each in aside)
