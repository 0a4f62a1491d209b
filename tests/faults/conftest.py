"""One breakable site for all tests of the folder; each test finds it repaired and empty."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstore.policy import sortable_ids
from tests.faults.breakable_site import BreakableSite


@pytest.fixture(scope="session")
def common_site() -> Iterator[BreakableSite]:
    folder = Path(tempfile.mkdtemp(prefix="popadmin-faults-"))
    site = BreakableSite(folder)
    try:
        site.start()
        yield site
    finally:
        site.stop()
        shutil.rmtree(folder)


@pytest.fixture
def site(common_site: BreakableSite) -> BreakableSite:
    """The site, with everything running and no mail in it."""
    if common_site.cluster.ended():
        common_site.cluster.start()
    if common_site.lmtpd.process.poll() is not None:
        common_site.start_lmtpd()
    if common_site.pop3d.process.poll() is not None:
        common_site.start_pop3d()
    common_site.until_it_serves()
    common_site.sql("DELETE FROM mailstore_message")
    common_site.sql("DELETE FROM mailstore_body")
    common_site.sql(
        "UPDATE mailstore_mailbox SET messages = 0, octets = 0, change = change + 1,"
        " recovery_messages = 0, recovery_octets = 0"
    )
    for body in bodies(common_site.store):
        body.unlink()  # without its row fsck would take it for litter of this test
    return common_site


def bodies(store: Path) -> list[Path]:
    """The files of bodies, in their places and set aside."""
    return [path for path in store.rglob("*") if sortable_ids.is_id(path.name) and path.is_file()]
