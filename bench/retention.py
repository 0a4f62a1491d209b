"""`python -m bench.retention`: the cost of a sweep with very many due messages, and how long deliveries wait meanwhile.

Then a device is revoked, and every second of 100,000 messages leaves one mailbox: how long its deliveries wait.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.__main__ import workplace
from bench.site import Site

GOAL_SECONDS_A_MILLION = 60
GOAL_WAIT_MS = 50
DAYS = 45  # the mail of a seeded site arrived over ninety days: half of it is due
PROBE_SECONDS = 0.005
# Every mailbox has a second device. Both have confirmed everything, in many ranges.
FETCHED = (
    """INSERT INTO mailstore_device (mailbox_id, name, main, mode, selector, digest, hidden, skipped, confirmed,
                                     hidden_messages, hidden_octets, created_at)
       SELECT id, 'Phone', false, 'independent', 's' || id, 'x', '{}', '{}', '{}', 0, 0, now()
         FROM mailstore_mailbox""",
    """UPDATE mailstore_device SET last_sign_in_at = now(),
              confirmed = (SELECT range_agg(int8range(n * 10, n * 10 + 9)) FROM generate_series(0, 100) AS n)""",
    "VACUUM ANALYZE",
)
HUGE_ADDRESS = "huge@clinic-0000.example"
HUGE_MESSAGES = 100_000
# One more mailbox: a phone has deleted every second message, and a laptop none.
HUGE = (
    """INSERT INTO mailstore_message (mailbox_id, body_id, uidl, prefix, octets, arrived_at, added, removed_why)
       SELECT %(box)s, (SELECT min(id) FROM mailstore_body), 'huge-' || n, '', 1000, now(), n, ''
         FROM generate_series(1, %(messages)s) AS n""",
    """UPDATE mailstore_mailbox SET messages = %(messages)s, octets = 1000 * %(messages)s::bigint,
              change = %(messages)s WHERE id = %(box)s""",
    """UPDATE mailstore_device
          SET hidden = (SELECT range_agg(int8range(2 * n, 2 * n + 1)) FROM generate_series(1, %(messages)s / 2) AS n),
              hidden_messages = %(messages)s / 2, hidden_octets = 1000 * %(messages)s / 2
        WHERE mailbox_id = %(box)s AND name = 'Phone'""",
)
WAIT = "UPDATE mailstore_mailbox SET web = web WHERE id = %s"  # the row that a delivery locks


@contextmanager
def measured_waits(site: Site, mailboxes: Sequence[int]) -> Iterator[None]:
    """Print at the end how long deliveries to these mailboxes waited meanwhile."""
    probe, before = LockProbe(site, mailboxes), site.lock_wait_count()
    probe.start()
    yield
    probe.over.set()
    probe.join()
    print(f"  waiting for a mailbox meanwhile: {probe.summary()}")
    print(f"  of these, for a lock longer than {GOAL_WAIT_MS} ms: {site.lock_wait_count() - before}")


class LockProbe(threading.Thread):
    """Locks one mailbox after the other, as deliveries do, and records how long each lock took."""

    def __init__(self, site: Site, mailboxes: Sequence[int]) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self.over = threading.Event()
        self._connection = site.connect()
        self._connection.execute("SET synchronous_commit TO off")  # waits for the disk are not caused by the sweep
        self._mailboxes = mailboxes

    def run(self) -> None:
        while not self.over.wait(PROBE_SECONDS):
            began = time.monotonic()
            self._connection.execute(WAIT, (random.choice(self._mailboxes),))
            self.seconds.append(time.monotonic() - began)

    def summary(self) -> str:
        ordered = sorted(self.seconds)
        figures = (ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1])
        return "p50 {:.1f}, p99 {:.1f}, longest {:.1f} ms of {} tries".format(
            *(1000 * f for f in figures), len(ordered)
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.retention", description=__doc__)
    parser.add_argument("--mailboxes", type=int, default=20_000)
    parser.add_argument("--messages", type=int, default=2_000_000, help="half of them are due")
    options = parser.parse_args()
    with workplace() as folder:
        site = Site(folder, "retention")
        with site.running():
            site.log_lock_waits(GOAL_WAIT_MS)
            _fill(site, options.mailboxes, options.messages)
            _measure(site)
            _measure_revocation(site)


def _fill(site: Site, mailboxes: int, messages: int) -> None:
    site.seed(domains=100, mailboxes=mailboxes, messages=messages)
    with site.connect() as connection:
        for statement in FETCHED:
            connection.execute(statement.encode())


def _measure(site: Site) -> None:
    rule = ("policy", "ensure", "site", "--site", "--expire", str(DAYS), "--at-once")
    _timed(site, "a forecast of the rule", *rule, "--dry-run", "--json")
    site.run(*rule)
    _timed(site, "sweep --dry-run", "sweep", "--dry-run", "--json")
    with site.connect() as connection:
        mailboxes = [key for (key,) in connection.execute("SELECT id FROM mailstore_mailbox")]
    began = _cpu_seconds(site)
    with measured_waits(site, mailboxes):
        swept, seconds = _timed(site, "sweep", "sweep", "--json")
    cpu_seconds = _cpu_seconds(site) - began
    count = json.loads(swept)["expired"]
    print(f"  {count} expired, {seconds / count * 1e6:.0f} s a million (goal {GOAL_SECONDS_A_MILLION})")
    print(f"  CPU: {cpu_seconds / count * 1e6:.0f} s a million, Postgres and the sweep; measure on an idle machine")
    print(f"  memory of the sweep at most: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MB")
    _timed(site, "sweep again, with nothing due", "sweep", "--json")


def _measure_revocation(site: Site) -> None:
    site.run("mailbox", "ensure", HUGE_ADDRESS)
    for name in ("Phone", "Laptop"):
        site.run("device", "add", HUGE_ADDRESS, name)
    with site.connect() as connection:
        box = connection.execute("SELECT max(id) FROM mailstore_mailbox").fetchone()[0]
        for statement in HUGE:
            connection.execute(statement.encode(), {"box": box, "messages": HUGE_MESSAGES})
        connection.execute(b"VACUUM ANALYZE mailstore_message")
    with measured_waits(site, [box]):
        _timed(site, f"a device is revoked, with {HUGE_MESSAGES} messages", "device", "revoke", HUGE_ADDRESS, "Laptop")
    with site.connect() as connection:
        left = connection.execute("SELECT recovery_messages FROM mailstore_mailbox WHERE id = %s", [box]).fetchone()
    print(f"  {left[0]} left")


def _cpu_seconds(site: Site) -> float:
    """Return the CPU time of Postgres, and of the commands that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return site.meter.cpu_seconds() + ended.ru_utime + ended.ru_stime


def _timed(site: Site, what: str, *words: str) -> tuple[str, float]:
    began = time.monotonic()
    said = site.run(*words)
    seconds = time.monotonic() - began
    print(f"{what}: {seconds:.1f} s", flush=True)
    return said, seconds


if __name__ == "__main__":
    main()
