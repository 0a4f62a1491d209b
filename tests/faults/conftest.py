"""One breakable site for all tests of the folder; each finds it whole and empty."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstore.policy import sortable_ids
from tests.faults.ground import Ground


@pytest.fixture(scope="session")
def common_ground() -> Iterator[Ground]:
    folder = Path(tempfile.mkdtemp(prefix="popadmin-faults-"))
    ground = Ground(folder)
    try:
        ground.start()
        yield ground
    finally:
        ground.stop()
        shutil.rmtree(folder)


@pytest.fixture
def ground(common_ground: Ground) -> Ground:
    """The site, with everything running and no mail in it."""
    if common_ground.cluster.ended():
        common_ground.cluster.start()
    if common_ground.lmtpd.process.poll() is not None:
        common_ground.start_lmtpd()
    if common_ground.pop3d.process.poll() is not None:
        common_ground.start_pop3d()
    common_ground.until_it_serves()
    common_ground.sql("DELETE FROM mailstore_message")
    common_ground.sql("DELETE FROM mailstore_body")
    common_ground.sql(
        "UPDATE mailstore_mailbox SET messages = 0, octets = 0, change = change + 1,"
        " recovery_messages = 0, recovery_octets = 0"
    )
    for body in bodies(common_ground.store):
        body.unlink()  # without its row fsck would take it for litter of this test
    return common_ground


def bodies(store: Path) -> list[Path]:
    """The files of bodies, in their places and set aside."""
    return [path for path in store.rglob("*") if sortable_ids.is_id(path.name) and path.is_file()]
