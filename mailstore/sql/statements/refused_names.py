"""The SQL that writes refused names, limits that refused clients and TLS not begun, and keeps their table small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.pg import array_literals
from mailstore.pg.statement import statement
from mailstore.policy.refused_names import Counts

if TYPE_CHECKING:
    from mailstore.pg.statement import Parameters

ROWS_KEPT = 10_000  # of the whole site, the newest; some 3 MB
NAMES_KEPT = 100  # of one network; batches that are written at the same time may add their own


def _utc_day(row: str) -> str:
    """Return SQL: the day, by UTC, of the last try in this row."""
    return f"({row}.last_at AT TIME ZONE 'UTC')::date"


REFUSED_NAMES = statement(
    "refused_names",
    f"""
    INSERT INTO mailstore_refusedname AS rn
           (network, reason, name, protocol, version, tries, days, first_at, last_at, until)
    SELECT one.network, one.reason, named.name, one.protocol, one.version, sum(one.tries), 1, min(one.first_at),
           max(one.last_at), max(one.until)
      FROM unnest(:networks::text[], :reasons::text[], :names::text[], :protocols::text[], :versions::text[],
                  :tries::bigint[], :first_at::timestamptz[], :last_at::timestamptz[], :until::timestamptz[])
           AS one (network, reason, name, protocol, version, tries, first_at, last_at, until)
     CROSS JOIN LATERAL (
           SELECT CASE WHEN one.name = ''
                         OR {NAMES_KEPT} > (SELECT count(*) FROM mailstore_refusedname rn
                                             WHERE rn.network = one.network)
                         OR EXISTS (SELECT FROM mailstore_refusedname rn
                                     WHERE rn.network = one.network AND rn.reason = one.reason AND rn.name = one.name
                                       AND rn.protocol = one.protocol AND rn.version = one.version)
                       THEN one.name ELSE '' END AS name) AS named
     GROUP BY one.network, one.reason, named.name, one.protocol, one.version
     ORDER BY one.network, one.reason, named.name, one.protocol, one.version
        ON CONFLICT (network, reason, name, protocol, version) DO UPDATE
       SET tries = rn.tries + excluded.tries, first_at = least(rn.first_at, excluded.first_at),
           days = CASE WHEN {_utc_day("excluded")} <= {_utc_day("rn")} THEN rn.days
                       WHEN {_utc_day("excluded")} = {_utc_day("rn")} + 1 THEN rn.days + 1
                       ELSE 1 END,
           last_at = greatest(rn.last_at, excluded.last_at), until = greatest(rn.until, excluded.until)
    """,
    purpose="""Adds refused sign-ins to their rows: names that nobody has, limits, TLS not begun. A network that has
        filled its room gets no more names; its other names are one row.""",
    caller="maildrop/refused_names.py every few seconds at most, and the web pages behind a reply",
    parameters={
        "networks": "the networks that they came from, '' for many (text[])",
        "reasons": "why they were refused (text[])",
        "names": "the names, '' for none or for many (text[])",
        "protocols": "pop3, smtp or web (text[])",
        "versions": "the newest version of TLS that was offered, '' where TLS was no matter (text[])",
        "tries": "how often (bigint[])",
        "first_at": "when first (timestamptz[])",
        "last_at": "when last (timestamptz[])",
        "until": "until when a limit is in force, or NULL (timestamptz[])",
    },
    locks="its rows, in one order, so that two workers never wait for each other crosswise",
    round_trips="1 for a batch, with the statement behind it",
)

PRUNE_REFUSED_NAMES = statement(
    "prune_refused_names",
    f"""
    DELETE FROM mailstore_refusedname rn
     WHERE rn.id IN (
           SELECT rn_old.id FROM mailstore_refusedname rn_old
            WHERE rn_old.last_at < (SELECT rn_kept.last_at FROM mailstore_refusedname rn_kept
                                     ORDER BY rn_kept.last_at DESC OFFSET {ROWS_KEPT - 1} LIMIT 1)
              FOR UPDATE SKIP LOCKED)
    """,
    purpose="Forgets the oldest rows above the bound of the table.",
    caller="maildrop/refused_names.py, last in the transaction of a batch",
    locks="the oldest rows that nobody has locked: it never waits",
    round_trips="none of its own: it goes with the batch",
)


def refused_names_parameters(counts: Counts) -> Parameters:
    """Return the parameters of REFUSED_NAMES."""
    tries = counts.values()
    return REFUSED_NAMES.values(
        networks=array_literals.texts(alike.network for alike in counts),
        reasons=array_literals.texts(alike.reason for alike in counts),
        names=array_literals.texts(alike.name for alike in counts),
        protocols=array_literals.texts(alike.protocol for alike in counts),
        versions=array_literals.texts(alike.version for alike in counts),
        tries=array_literals.bigints(one.count for one in tries),
        first_at=array_literals.texts(one.first_at.isoformat() for one in tries),
        last_at=array_literals.texts(one.last_at.isoformat() for one in tries),
        until=array_literals.texts(one.until.isoformat() if one.until else None for one in tries),
    )
