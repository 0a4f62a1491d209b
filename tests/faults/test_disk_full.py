"""The body store is on a full disk: senders keep their mail, and no partial body is left."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.breakable_site import SENDER, BreakableSite
from tests.listeners import daemon

ANN, BOB = "p0@example.org", "p1@example.org"
DISK = "3m"
LARGE = b"Subject: large\r\n\r\n" + b"x" * 400_000 + b"\r\n"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no file system can be mounted: {mounted.stderr.decode()}")
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small(site: BreakableSite, disk: Path) -> Iterator[BreakableSite]:
    """The site with its bodies on the small disk."""
    environment = site.environment | {"MAIL_STORE_URL": f"file:{disk}/store"}
    usual = site.pop3d, site.lmtpd, site.store
    with daemon("pop3d", **environment) as pop3d, daemon("lmtpd", **environment) as lmtpd:
        site.pop3d, site.lmtpd, site.store = pop3d, lmtpd, disk / "store"
        yield site
        site.pop3d, site.lmtpd, site.store = usual
    site.sql("DELETE FROM mailstore_message")
    site.sql("DELETE FROM mailstore_body")


def files(site: BreakableSite) -> list[Path]:
    return [path for path in site.store.rglob("*") if path.is_file()]


def fill(site: BreakableSite) -> int:
    """Deliver until the store is full; return how many were taken."""
    taken = 0
    while (code := site.deliver(ANN, LARGE)) == 250:
        taken += 1
        assert taken < 20
    assert code == 452
    return taken


def test_a_full_disk_defers_leaves_no_half_body_and_loses_nothing(small: BreakableSite) -> None:
    taken = fill(small)
    assert 4 <= taken <= 7
    whole = files(small)
    with small.lmtp() as client:
        client.mail(SENDER)
        for address in (ANN, BOB):
            assert client.rcpt(address)[0] == 250
        client.putcmd("DATA")
        client.getreply()
        client.send(LARGE + b".\r\n")
        # RFC 2033 §4.2: a reply for each, and the session goes on.
        replies = [client.getreply() for _ in range(2)]
        assert [(code, text[:5]) for code, text in replies] == [(452, b"4.3.1")] * 2
        assert client.noop()[0] == 250
    assert files(small) == whole
    with small.session(ANN) as reader:
        assert reader.ask("STAT").split()[1] == b"%d" % taken
        for number in range(1, taken + 1):
            assert reader.message(number).endswith(LARGE)


def test_with_room_again_mail_flows_by_itself(small: BreakableSite, disk: Path) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    taken = fill(small)
    ballast.unlink()
    assert small.deliver(ANN, LARGE) == 250
    with small.session(ANN) as reader:
        assert len(reader.rows("LIST")) == taken + 1


def test_a_message_that_fills_the_disk_while_it_comes_is_taken_to_its_end_and_deferred(small: BreakableSite) -> None:
    before = files(small)
    with small.lmtp() as client:
        client.mail(SENDER)
        client.rcpt(ANN)
        code, text = client.data(b"Subject: too large for the disk\r\n\r\n" + b"y" * 70 * 100_000)
        assert (code, text[:5]) == (452, b"4.3.1")
        assert client.noop()[0] == 250
    assert files(small) == before
    assert small.deliver(ANN, b"Subject: small\r\n\r\nfits\r\n") == 250
