"""Readiness: the body store is there and takes a body, or the reason is raised."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from mailstore.bodies.files import FileBodies
from mailstore.errors import Unavailable
from mailstore.store import readiness


def test_a_prepared_store_is_ready_and_keeps_nothing_of_the_look(settings: LazySettings, tmp_path: Path) -> None:
    settings.MAIL_STORE_URL = f"file:{tmp_path / 'bodies'}"
    FileBodies(tmp_path / "bodies").prepare()
    readiness.body_store()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["popadmin-bodies"]


def test_a_store_whose_disk_is_not_there_is_not_ready(settings: LazySettings, tmp_path: Path) -> None:
    settings.MAIL_STORE_URL = f"file:{tmp_path / 'bodies'}"
    (tmp_path / "bodies").mkdir()
    with pytest.raises(Unavailable, match="disk mounted"):
        readiness.body_store()
