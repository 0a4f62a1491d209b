"""Bodies that are missing, truncated or exchanged: RETR refuses before +OK, and the log names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.breakable_site import BreakableSite

ANN = "p0@example.org"
LOST = b"-ERR [SYS/PERM]"
SMALL, LARGE = 2_000, 400_000  # one is read whole when it is opened, the other is sent from its file


def message(letter: bytes, octets: int) -> bytes:
    return b"Subject: " + letter + b"\r\n\r\n" + letter * octets + b"\r\n"


def body_of(site: BreakableSite, number: int) -> Path:
    keys = site.sql("SELECT b.key FROM mailstore_message m JOIN mailstore_body b ON b.id = m.body_id ORDER BY m.added")
    return next(site.store.rglob(keys[number - 1][0]))


@pytest.mark.req("P-062")
@pytest.mark.req("P-064")
@pytest.mark.parametrize("octets", [SMALL, LARGE])
@pytest.mark.parametrize("harm", ["missing", "truncated", "exchanged"])
def test_a_spoilt_body_is_refused_before_the_first_octet(site: BreakableSite, octets: int, harm: str) -> None:
    for letter in (b"a", b"b", b"c"):
        assert site.deliver(ANN, message(letter, octets)) == 250
    victim, twin = body_of(site, 2), body_of(site, 3)
    logged = len(site.pop3d.log())
    with site.session(ANN) as client:
        if harm == "missing":
            victim.unlink()
        elif harm == "truncated":
            victim.write_bytes(victim.read_bytes()[: octets // 2])
        else:
            victim.write_bytes(twin.read_bytes())
        for command in ("RETR 2", "TOP 2 0", "RETR 2"):
            assert client.ask(command).startswith(LOST)
        assert client.message(1).endswith(message(b"a", octets))
        assert client.message(3).endswith(message(b"c", octets))
        assert len(client.rows("LIST")) == 3
        assert client.quit().startswith(b"+OK")
    assert site.pop3d.logged(rf"message 2 of {ANN}: .*{victim.name}", after=logged, times=3)
    lines = [line for line in site.pop3d.log()[logged:] if victim.name in line]
    assert len(lines) == 3  # once for each refusal


@pytest.mark.req("P-062")
def test_a_store_that_is_away_is_a_temporary_matter_for_both_sides(site: BreakableSite) -> None:
    site.deliver(ANN, message(b"a", SMALL))
    away = site.store.with_name("unmounted")
    with site.session(ANN) as client:
        site.store.rename(away)
        site.store.mkdir()
        try:
            assert client.ask("RETR 1").startswith(b"-ERR [SYS/TEMP]")
            assert site.deliver(ANN, message(b"b", SMALL)) == 451
            # An empty folder may be a disk that is not mounted: nobody makes a store of it.
            assert list(site.store.iterdir()) == []
        finally:
            site.store.rmdir()
            away.rename(site.store)
        assert client.message(1).endswith(message(b"a", SMALL))
    assert site.deliver(ANN, message(b"b", SMALL)) == 250
