"""kill -9 of any process during deliveries and QUITs: every promise is kept, and only litter is left."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from pathlib import Path

import pytest

from mailstore.bodies import layout
from mailstore.file_owner import STORE_MARKER
from mailstore.policy import sortable_ids
from tests.faults.breakable_site import PEOPLE, BreakableSite
from tests.faults.ledger import Clients, Ledger, everything
from tests.listeners import Daemon

ROUNDS = 15  # of each of two seeds
TWO_HOURS_MILLISECONDS = 7_200_000


def kill_a_worker(listener: Daemon, chance: random.Random) -> None:
    pid = chance.choice(listener.workers() or [0])
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def strike(site: BreakableSite, chance: random.Random) -> str:
    """Kill something, and put back what nothing else puts back. Returns what it was."""
    what = chance.choice(["lmtp worker", "lmtp worker", "pop3 worker", "pop3 worker", "lmtpd", "pop3d", "postgres"])
    if what == "postgres":
        site.kill_postgres()
        site.cluster.start()
    elif what == "lmtpd":
        site.kill(site.lmtpd)
        site.start_lmtpd()
    elif what == "pop3d":
        site.kill(site.pop3d)
        site.start_pop3d()
    else:
        kill_a_worker(site.lmtpd if what == "lmtp worker" else site.pop3d, chance)
    return what


@pytest.mark.req("P-028")
@pytest.mark.req("P-091")
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_killed_and_when_every_promise_is_kept(site: BreakableSite, seed: int) -> None:
    chance = random.Random(seed)
    people = [f"p{n}@example.org" for n in range(PEOPLE)]
    ledger = Ledger()
    clients = Clients(site, ledger, seed)
    clients.begin(people, senders=3)
    pause = threading.Event()
    struck = []
    try:
        for _ in range(ROUNDS):
            pause.wait(chance.uniform(0.02, 0.6))  # the moment is the chance's, not the test's
            struck.append(strike(site, chance))
        site.until_it_serves()
    finally:
        clients.end()
    site.until_it_serves()
    found = everything(site, people)
    for name in [name for name in found if name.startswith("probe:")]:
        del found[name]
    ledger.check(found)
    assert len(ledger.promised) > ROUNDS, struck
    assert len(ledger.removed) > 0, struck
    assert_at_most_litter(site)


def assert_at_most_litter(site: BreakableSite) -> None:
    """fsck finds nothing lost and no counter wrong; what it calls litter once it is old, --repair sets aside."""
    assert site.fsck("--deep") == []  # litter this young may belong to a delivery
    age(site)
    litter = site.fsck()
    assert {finding["kind"] for finding in litter} <= {"litter"}
    unknown = sum(finding["detail"] == "a body without a row" for finding in litter)
    site.fsck("--repair", "--destroy", str(unknown))  # so many kills leave more than a repair takes for granted
    assert site.fsck("--deep") == []
    rows = {key for (key,) in site.sql("SELECT key FROM mailstore_body")}
    aside = site.store / layout.QUARANTINE
    assert {path.name for path in files(site) if not path.is_relative_to(aside)} == rows


def files(site: BreakableSite) -> list[Path]:
    named = {STORE_MARKER, layout.STORE_ID}
    return [path for path in site.store.rglob("*") if path.is_file() and path.name not in named]


def age(site: BreakableSite) -> None:
    """Make what no row names two hours older: a draft by its date, a body by its key, which begins with a time."""
    rows = {key for (key,) in site.sql("SELECT key FROM mailstore_body")}
    for path in files(site):
        if path.parent.name == layout.DRAFTS:
            os.utime(path, (0, 0))
        elif path.name not in rows:
            milliseconds, random_octets = sortable_ids.parts(path.name)
            older = sortable_ids.new_id(milliseconds - TWO_HOURS_MILLISECONDS, random_octets)
            target = site.store / layout.path(older)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)


def test_a_parent_that_was_killed_is_followed_by_another_on_the_same_port_at_once(site: BreakableSite) -> None:
    """Its workers see to it that nothing of theirs keeps the port."""
    port = site.pop3d.port
    with site.session("p0@example.org") as client:
        site.kill(site.pop3d)
        site.environment["POP3_LISTEN"] = f"127.0.0.1:{port}"
        try:
            site.start_pop3d()
        finally:
            del site.environment["POP3_LISTEN"]
        assert site.pop3d.port == port
        assert site.sign_in_reply("p0@example.org").startswith(b"+OK")
        assert client.ask("NOOP") == b"+OK"
        assert client.quit().startswith(b"+OK")
