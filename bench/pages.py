"""The pages that are measured: their URLs on a seeded site, with keys of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import psycopg

OVERVIEW_GOAL_MS, LIST_GOAL_MS = 100.0, 60.0
QUERIES_MOST = 12

# Rows that `seed` does not make: policies in use, aliases, an audit, findings, and a diary.
POLICY = "(SELECT min(id) FROM mailstore_retentionpolicy)"
SAMPLE_ROWS = (
    """INSERT INTO mailstore_retentionpolicy (name, site, expire_unfetched, remove_when_confirmed, hold_days,
              silent_days, relief, recovery_days, diary_days, expire_days, offered, saved_at)
       SELECT 'policy ' || n, false, false, false, 7, 45, 'never', 30, 90, 10 * n, true, now()
         FROM generate_series(1, 20) AS n""",
    f"UPDATE mailstore_domain SET policy_id = {POLICY} + id % 20 WHERE id % 3 = 0",
    f"UPDATE mailstore_mailbox SET policy_id = {POLICY} + id % 20 WHERE id % 9 = 0",
    """INSERT INTO mailstore_alias (address, domain_id, targets, keep_copy, comment, active, created_at)
       SELECT 'alias' || n || '@' || d.name, d.id, ARRAY['someone@' || d.name, 'else' || n || '@elsewhere.example'],
              false, 'Nr ' || n, n % 10 > 0, now() - n * interval '1 hour'
         FROM mailstore_domain d CROSS JOIN generate_series(1, 20) AS n""",
    """INSERT INTO mailstore_auditentry (at, actor_name, via, verb, subject, mailbox_id, domain_id, details)
       SELECT now() - x.n * interval '1 minute', 'root', 'web', 'mailbox.change', u.address, x.id, x.domain_id,
              '{"changes": {"pop": [1, 0]}}'
         FROM (SELECT *, row_number() OVER () AS n FROM mailstore_mailbox) AS x
         JOIN mailstore_user u ON u.id = x.user_id
        CROSS JOIN generate_series(1, 2)""",
    """INSERT INTO mailstore_finding (mailbox_id, kind, since, facts)
       SELECT id, 'hasty', now(), '{"seconds": 5}' FROM mailstore_mailbox WHERE id % 200 = 0""",
    """INSERT INTO mailstore_diarysession (mailbox_id, device_id, started_at, ended_at, client, tls, listed,
              fetched_messages, removed_messages, octets_out, fetched, deleted, ended, sessions)
       SELECT mailbox_id, id, ago.at, ago.at, '192.0.2.7', 'TLSv1.3', 100, n, 0, 1000 * n, '{}', '{}',
              CASE WHEN n % 5 = 0 THEN 'wrong' ELSE 'quit' END, 1
         FROM mailstore_device CROSS JOIN generate_series(1, 5) AS n
        CROSS JOIN LATERAL (SELECT now() - n * interval '7 hours' - id % 90000 * interval '1 second') AS ago (at)""",
    """INSERT INTO mailstore_refusedname (reason, name, network, protocol, tries, first_at, last_at)
       SELECT CASE WHEN n % 20 = 0 THEN 'account' ELSE 'unknown' END, 'nobody' || n || '@clinic-0000.example',
              '198.51.' || n / 100 || '.0/24', 'pop3', n, ago.at, ago.at
         FROM generate_series(1, 10000) AS n
        CROSS JOIN LATERAL (SELECT now() - n * interval '10 minutes') AS ago (at)""",
)
# The mailbox with the most mail. Half of its mail is put into recovery.
LARGEST_MAILBOX = """
SELECT x.id, u.address FROM mailstore_mailbox x JOIN mailstore_user u ON u.id = x.user_id
 WHERE u.is_active ORDER BY x.messages DESC LIMIT 1
"""
RECOVERY_ROWS = (
    """UPDATE mailstore_message SET removed = %(mail)s, removed_at = now(), removed_why = 'dele'
        WHERE mailbox_id = %(box)s AND removed IS NULL AND added <= %(mail)s / 2""",
    """UPDATE mailstore_mailbox SET (messages, octets, recovery_messages, recovery_octets) =
              (SELECT count(*) FILTER (WHERE removed IS NULL), sum(octets) FILTER (WHERE removed IS NULL),
                      count(removed), sum(octets) FILTER (WHERE removed IS NOT NULL)
                 FROM mailstore_message WHERE mailbox_id = %(box)s)
        WHERE id = %(box)s""",
)
ROW_AT = """
SELECT u.address, x.id FROM mailstore_mailbox x JOIN mailstore_user u ON u.id = x.user_id WHERE x.removed_at IS NULL
 ORDER BY 1 OFFSET %(behind)s LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Page:
    """`goal_ms` is for the p95; None: there is no goal."""

    name: str
    path: str
    goal_ms: float | None = LIST_GOAL_MS


def fill(connection: psycopg.Connection) -> tuple[int, str]:
    """Insert the rows that `seed` does not make; return the key and address of the mailbox with the most mail."""
    for statement in SAMPLE_ROWS:
        connection.execute(statement.encode())
    box, address = connection.execute(LARGEST_MAILBOX.encode()).fetchone()
    ((mail,),) = connection.execute("SELECT messages FROM mailstore_mailbox WHERE id = %s", (box,))
    for statement in RECOVERY_ROWS:
        connection.execute(statement.encode(), {"box": box, "mail": mail})
    connection.execute("VACUUM ANALYZE")
    return box, address


def of_admins(connection: psycopg.Connection, box: int) -> Iterator[Page]:
    """Yield every list in every order and with every filter, and the pages with counts."""
    yield Page("overview", "/overview/", OVERVIEW_GOAL_MS)
    yield from _mailboxes(connection)
    yield from _lists(connection)
    yield Page("one mailbox", f"/mailboxes/{box}/", None)
    yield Page("its devices", f"/mailboxes/{box}/devices/")
    yield Page("its diary", f"/mailboxes/{box}/diary/")
    yield Page("its recovery", f"/mailboxes/{box}/recovery/")
    (domain, policy), = connection.execute(
        "SELECT (SELECT min(id) FROM mailstore_domain), (SELECT min(id) FROM mailstore_retentionpolicy)"
    )  # fmt: skip
    yield Page("one domain", f"/domains/{domain}/", None)
    yield Page("one policy", f"/policies/{policy}/", None)


def of_owners() -> Iterator[Page]:
    for name in ("mailbox", "devices", "messages", "recovery", "diary", "settings/history"):
        yield Page(f"owner, {name}", f"/{name}/")


def _mailboxes(connection: psycopg.Connection) -> Iterator[Page]:
    from popadmin.panel.mailbox_filters import SIGN_INS, STATES, USAGES

    ((policy,),) = connection.execute("SELECT min(id) FROM mailstore_retentionpolicy")
    narrowed = {"state": STATES, "usage": USAGES, "seen": SIGN_INS, "policy": {policy: 0, "none": 0}}
    narrowed |= {"finding": {"any": 0}, "domain": {"clinic-0000.example": 0, "clinic": 0}}
    narrowed |= {"q": {"ernar": 0, "léo": 0, "al": 0, "alice.bernard@clinic-0000.example": 0, "nobodyhasthis": 0}}
    yield Page("mailboxes", "/mailboxes/")
    ((total,),) = connection.execute("SELECT count(*) FROM mailstore_mailbox")
    (row,) = connection.execute(ROW_AT.encode(), {"behind": total * 6 // 10})
    cursor = urlencode({"page": f"a:{total * 6 // 10}:{row[1]}:{row[0]}"})
    yield Page("mailboxes, deep page", f"/mailboxes/?{cursor}")
    for sort in ("-address", "usage", "-usage", "messages", "-messages", "seen", "-seen"):
        yield Page(f"mailboxes by {sort}", f"/mailboxes/?sort={sort}")
    for name, values in narrowed.items():
        for value in values:
            yield Page(f"mailboxes, {name} {value}", f"/mailboxes/?{urlencode({name: value})}")


def _lists(connection: psycopg.Connection) -> Iterator[Page]:
    lists = {
        "domains": ("", "sort=-name", "sort=-stored", "sort=stored", "sort=-mailboxes", "sort=-aliases", "sort=-made",
                    "q=clinic", "usage=free", "usage=near", "state=active"),
        "aliases": ("", "sort=-made", "sort=comment", "q=else7", "kind=alias", "kind=catch-all", "state=off",
                    "domain=clinic-0000.example"),
        "audit": ("", "sort=at", "sort=who", "q=alice", "kind=mailbox", "kind=domain", "via=shell", "since=2026-01-01"),
        "policies": ("",), "sign-ins": ("",), "sign-ins/names": ("", "kind=limits", "sort=-tries"), "admins": ("",),
        "domains/removed": ("",), "mailboxes/removed": ("",),
    }  # fmt: skip
    for name, queries in lists.items():
        for query in queries:
            yield Page(f"{name} {query}".strip(), f"/{name}/" + (f"?{query}" if query else ""))
