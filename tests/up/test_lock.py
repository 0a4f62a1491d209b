"""The lock on a data folder: who may start a site there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from popadmin.up import lock
from popadmin.up.errors import UpError
from tests.bodies.second_user import AS_ROOT, OTHER_USER


@AS_ROOT
def test_root_starts_no_site_on_the_data_folder_of_another_user(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, OTHER_USER, OTHER_USER)
    with pytest.raises(UpError, match=r"belongs to the user .*runuser"), lock.hold(folder):
        pass
    assert list(folder.iterdir()) == []


def test_a_site_starts_on_a_folder_of_ones_own(tmp_path: Path) -> None:
    with lock.hold(tmp_path / "data"):
        assert (tmp_path / "data" / lock.NAME).is_file()
