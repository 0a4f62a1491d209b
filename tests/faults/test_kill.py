"""kill -9 of any process at any moment of deliveries and QUITs: every promise is kept, and at most litter is left."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from pathlib import Path

import pytest

from mailstore.bodies import layout
from mailstore.policy import sortable_ids
from tests.faults.ground import PEOPLE, Ground
from tests.faults.ledger import ConnectionCounts, Ledger, everything
from tests.running import Daemon

ROUNDS = 15  # of each of two seeds
TWO_HOURS_MILLISECONDS = 7_200_000


def kill_a_worker(listener: Daemon, chance: random.Random) -> None:
    pid = chance.choice(listener.workers() or [0])
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def strike(ground: Ground, chance: random.Random) -> str:
    """Kill something, and put back what nothing else puts back. Returns what it was."""
    what = chance.choice(["lmtp worker", "lmtp worker", "pop3 worker", "pop3 worker", "lmtpd", "pop3d", "postgres"])
    if what == "postgres":
        ground.kill_postgres()
        ground.cluster.start()
    elif what == "lmtpd":
        ground.kill(ground.lmtpd)
        ground.start_lmtpd()
    elif what == "pop3d":
        ground.kill(ground.pop3d)
        ground.start_pop3d()
    else:
        kill_a_worker(ground.lmtpd if what == "lmtp worker" else ground.pop3d, chance)
    return what


@pytest.mark.req("P-028")
@pytest.mark.req("P-091")
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_killed_and_when_every_promise_is_kept(ground: Ground, seed: int) -> None:
    chance = random.Random(seed)
    people = [f"p{n}@example.org" for n in range(PEOPLE)]
    ledger = Ledger()
    crowd = ConnectionCounts(ground, ledger, seed)
    crowd.begin(people, senders=3)
    pause = threading.Event()
    struck = []
    try:
        for _ in range(ROUNDS):
            pause.wait(chance.uniform(0.02, 0.6))  # the moment is the chance's, not the test's
            struck.append(strike(ground, chance))
        ground.until_it_serves()
    finally:
        crowd.end()
    ground.until_it_serves()
    found = everything(ground, people)
    for name in [name for name in found if name.startswith("probe:")]:
        del found[name]
    ledger.check(found)
    assert len(ledger.promised) > ROUNDS, struck
    assert len(ledger.removed) > 0, struck
    assert_at_most_litter(ground)


def assert_at_most_litter(ground: Ground) -> None:
    """fsck finds nothing lost and no counter wrong; what it calls litter once it is old, --repair sets aside."""
    assert ground.fsck("--deep") == []  # litter this young may belong to a delivery
    age(ground)
    kinds = {finding["kind"] for finding in ground.fsck()}
    assert kinds <= {"litter"}
    ground.fsck("--repair")
    assert ground.fsck("--deep") == []
    rows = {key for (key,) in ground.sql("SELECT key FROM mailstore_body")}
    aside = ground.store / layout.QUARANTINE
    assert {path.name for path in files(ground) if not path.is_relative_to(aside)} == rows


def files(ground: Ground) -> list[Path]:
    named = {layout.MARKER, layout.STORE_ID}
    return [path for path in ground.store.rglob("*") if path.is_file() and path.name not in named]


def age(ground: Ground) -> None:
    """Make what no row names two hours older: a draft by its date, a body by its key, which begins with a time."""
    rows = {key for (key,) in ground.sql("SELECT key FROM mailstore_body")}
    for path in files(ground):
        if path.parent.name == layout.DRAFTS:
            os.utime(path, (0, 0))
        elif path.name not in rows:
            milliseconds, random_octets = sortable_ids.parts(path.name)
            older = sortable_ids.new_id(milliseconds - TWO_HOURS_MILLISECONDS, random_octets)
            target = ground.store / layout.path(older)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)


def test_a_parent_that_was_killed_is_followed_by_another_on_the_same_port_at_once(ground: Ground) -> None:
    """Its workers see to it that nothing of theirs keeps the port."""
    port = ground.pop3d.port
    with ground.session("p0@example.org") as client:
        ground.kill(ground.pop3d)
        ground.environment["POP3_LISTEN"] = f"127.0.0.1:{port}"
        try:
            ground.start_pop3d()
        finally:
            del ground.environment["POP3_LISTEN"]
        assert ground.pop3d.port == port
        assert ground.sign_in_reply("p0@example.org").startswith(b"+OK")
        assert client.ask("NOOP") == b"+OK"
        assert client.quit().startswith(b"+OK")
