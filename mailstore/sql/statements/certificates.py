"""The SQL with which a listener says which certificates it serves."""

from __future__ import annotations

from mailstore.pg.statement import statement

SERVED_CERTIFICATES = statement(
    "served_certificates",
    """
    WITH gone AS (
        DELETE FROM mailstore_listenercertificates lc WHERE lc.seen_at < now() - interval '1 day')
    INSERT INTO mailstore_listenercertificates AS lc (listener, seen_at, certificates)
    VALUES (:listener::text, now(), :certificates::jsonb)
        ON CONFLICT (listener) DO UPDATE SET seen_at = now(), certificates = excluded.certificates
    """,
    purpose="""Notes what a POP3 listener serves, for the pages and monitors. Forgets listeners that are gone: a
        container has another name at each start.""",
    caller="listener/certificate_report.py, every half minute from one worker, and after each renewal",
    parameters={
        "listener": "the machine and its first address",
        "certificates": "what it serves, a list of `ServedCertificate` (jsonb)",
    },
    locks="the listener's row",
    round_trips="1",
)
