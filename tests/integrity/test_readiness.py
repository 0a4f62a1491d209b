"""Readiness: the body store is there and takes a body, or the reason is raised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from mailstore.bodies.files import FileBodies
from mailstore.errors import Unavailable
from mailstore.integrity import readiness
from mailstore.models import Body
from tests.bodies.second_user import AS_ROOT, give, open_folder
from tests.site.rows import a_mailbox, a_message
from tests.suites.bodies import SMALL, stored

pytestmark = pytest.mark.django_db


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


@pytest.fixture
def owned(settings: LazySettings) -> Iterator[Path]:
    """A store of another user than root, with a message in it."""
    with open_folder() as folder:
        root = folder / "bodies"
        settings.MAIL_STORE_URL = f"file:{root}"
        root.mkdir(mode=0o700)
        store = FileBodies(give(root))
        store.prepare()
        ref = stored(store, SMALL)
        body = Body.objects.create(key=ref.key, wire_octets=ref.wire_octets, octets=ref.octets, digest=ref.digest)
        a_message(a_mailbox(), body=body)
        yield root


@AS_ROOT
@pytest.mark.parametrize("place", ["popadmin-bodies", "tmp", "0*", "0*/*", "0*/*/*"])
def test_a_store_with_a_file_of_another_user_is_not_ready(owned: Path, place: str) -> None:
    readiness.body_store()
    (found,) = owned.glob(place)
    give(found, 0)
    with pytest.raises(Unavailable, match=r"belongs to root, not to .*: as root, run `fsck --repair`"):
        readiness.body_store()


@AS_ROOT
def test_a_body_that_its_owner_may_not_read_is_not_ready(owned: Path) -> None:
    (body,) = owned.glob("0*/*/*")
    body.chmod(0)
    with pytest.raises(Unavailable, match="its mode 0000 keeps its owner out"):
        readiness.body_store()
