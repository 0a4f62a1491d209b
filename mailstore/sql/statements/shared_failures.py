"""The SQL by which the workers of POP3 and SASL tell each other of failed sign-ins, so that they count them as one."""

from __future__ import annotations

from mailstore.pg.statement import statement

READ_SECONDS = 10  # how long a row is read again and again: a worker that is busy or reconnects still finds it
KEPT_SECONDS = 60

SHARE_FAILURES = statement(
    "share_failures",
    """
    INSERT INTO mailstore_sharedfailure (at, writer, kind, client, account, secret, unknown, loopback)
    SELECT now(), :writer::uuid, one.kind, one.client, one.account, one.secret, one.unknown, one.loopback
      FROM unnest(:kinds::text[], :clients::text[], :accounts::text[], :secrets::bytea[], :unknown::boolean[],
                  :loopback::boolean[]) AS one (kind, client, account, secret, unknown, loopback)
    """,
    purpose="Tells the other workers what this one has counted of guessers, in batches.",
    caller="maildrop/shared_throttle.py, every second at most",
    parameters={
        "writer": "the worker",
        "kinds": "failed, forgiven or succeeded (text[])",
        "clients": "where each came from (text[])",
        "accounts": "addresses, and digests of names that are none (text[])",
        "secrets": "short keyed digests of the passwords (bytea[])",
        "unknown": "whether nobody has the name (boolean[])",
        "loopback": "whether the client is this machine (boolean[])",
    },
    locks="none but its new rows",
    round_trips="1 for a batch, with the statement behind it",
)

FORGET_FAILURES = statement(
    "forget_failures",
    f"""
    DELETE FROM mailstore_sharedfailure sf
     WHERE sf.id IN (SELECT sf_old.id FROM mailstore_sharedfailure sf_old
                      WHERE sf_old.at < now() - interval '{KEPT_SECONDS} seconds' FOR UPDATE SKIP LOCKED)
    """,
    purpose="Deletes what all workers have read.",
    caller="maildrop/shared_throttle.py, last in the transaction of a batch",
    locks="the old rows that nobody has locked: it never waits",
    round_trips="none of its own: it goes with the batch",
)

FAILURES = statement(
    "failures",
    f"""
    SELECT sf.id, sf.kind, sf.client, sf.account, sf.secret, sf.unknown, sf.loopback FROM mailstore_sharedfailure sf
     WHERE sf.at > now() - interval '{READ_SECONDS} seconds' AND sf.writer <> :writer::uuid
     ORDER BY sf.id
    """,
    purpose="""Reads what the other workers have counted lately. The table holds a minute of failures, so it is read
        whole. Rows may become visible late: so each is read for some seconds, and its reader knows which it had.""",
    caller="maildrop/shared_throttle.py, every second",
    parameters={"writer": "the worker that asks"},
    locks="none",
    round_trips="1",
)
