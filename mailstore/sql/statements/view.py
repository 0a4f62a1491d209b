"""The SQL of a view: which device counts, which may sign in, what a session lists and sends, what a device hides."""

from __future__ import annotations

from mailstore.pg.statement import statement

_PACKED = """string_agg(int8send(id), ''), string_agg(int8send(added), ''), string_agg(int8send(octets), ''),
           string_agg(uidl, E'\\n')"""

_MOMENT = {"mailbox_id": "the mailbox", "change": "the change number at which the session opened"}

LISTING = statement(
    "listing",
    f"""
    SELECT {_PACKED}, EXISTS (SELECT 1 FROM mailstore_message WHERE mailbox_id = :mailbox_id AND removed > :change)
                   OR EXISTS (SELECT 1 FROM mailstore_earlierstay WHERE mailbox_id = :mailbox_id AND removed > :change)
      FROM (SELECT id, octets, uidl, added
              FROM mailstore_message
             WHERE mailbox_id = :mailbox_id AND removed IS NULL AND added <= :change
             ORDER BY added) AS list
    """,
    purpose="""Lists a mailbox at a change number for a view that hides nothing, in the order of arrival. One row of
        packed columns (8 octets a number, UIDLs one a line) costs half of a row a message. The last column says whether
        messages have left since; then past_listing has the answer. A message that left and came back has left too.""",
    caller="maildrop/maildrop.py, when a session first asks for its list",
    parameters=_MOMENT,
    binary=True,
    locks="none",
    round_trips="1, none where the list is in the cache",
)

PAST_LISTING = statement(
    "past_listing",
    f"""
    SELECT {_PACKED}
      FROM (SELECT id, octets, uidl, added
              FROM mailstore_message
             WHERE mailbox_id = :mailbox_id AND removed IS NULL AND added <= :change
               AND NOT :hidden::int8multirange @> added
             UNION ALL
            SELECT id, octets, uidl, added
              FROM mailstore_message
             WHERE mailbox_id = :mailbox_id AND removed > :change AND added <= :change
               AND NOT :hidden::int8multirange @> added
             UNION ALL
            SELECT m.id, m.octets, e.uidl, e.added
              FROM mailstore_earlierstay e JOIN mailstore_message m ON m.id = e.message_id
             WHERE e.mailbox_id = :mailbox_id AND e.removed > :change AND e.added <= :change
               AND NOT :hidden::int8multirange @> e.added
             ORDER BY added) AS list
    """,
    purpose="Lists the same for any view and any past: what is live, what has left since, and what has been restored.",
    caller="maildrop/maildrop.py, for a view that hides something, and where messages have left since",
    parameters={**_MOMENT, "hidden": "the arrival numbers that the view hides (int8multirange)"},
    binary=True,
    locks="none",
    round_trips="1, none where the list is in the cache",
)

CARDS = statement(
    "cards",
    """
    SELECT int8send(m.id) || int8send(m.octets) || int8send(b.wire_octets) || int8send(b.octets),
           m.prefix, b.key, b.digest, b.has_nul
      FROM mailstore_message m JOIN mailstore_body b ON b.id = m.body_id
     WHERE m.id = ANY(:message_ids::bigint[])
    """,
    purpose="Reads what it takes to send messages. The numbers come in one column, 8 octets each.",
    caller="maildrop/maildrop.py, at RETR and TOP, for a window of the list at a time",
    parameters={"message_ids": "the messages, by their keys (bigint[])"},
    binary=True,
    locks="none",
    round_trips="1 for a window of messages",
)

LOCK = statement(
    "lock",
    "SELECT 1 FROM mailstore_mailbox box WHERE box.id = ANY(:mailbox_ids::bigint[]) ORDER BY box.id FOR UPDATE",
    purpose="""Locks mailboxes in one order. The statement behind it takes its snapshot after the lock, so it sees
        everything that was ordered before it.""",
    caller="""maildrop/maildrop.py at QUIT, delivery/message_writer.py for several mailboxes,
        delivery/recipient_lookup.py before relieve, delivery/delivery.py and mta_log/outcome_writer.py before looped;
        first in the transaction""",
    parameters={"mailbox_ids": "the mailboxes (bigint[])"},
    locks="the rows of these mailboxes, in the order of their keys",
    round_trips="none of its own: it goes with the statements behind it",
)


def counts(*, device: str, mailbox: str) -> str:
    """Return SQL: the device under the alias `device` belongs to the mailbox under the alias `mailbox` and counts.

    Mail waits for a device that counts, until it has been silent for too long. The main device counts only once it has
    signed in, and while it may.
    """
    return f"""{device}.mailbox_id = {mailbox}.id AND {device}.revoked_at IS NULL AND {device}.mode <> 'peek'
        AND {device}.silent_since IS NULL
        AND NOT ({device}.main AND ({device}.last_sign_in_at IS NULL OR NOT {mailbox}.main_pop))"""


def credential_version(*, user: str) -> str:
    """Return SQL: the version of the password of the user under the alias `user`; another password has another version.

    A new hash of the same password leaves it as it is (`User.set_password`). A float8 keeps microseconds, and is
    printed so that it is read back as itself.
    """
    return f"date_part('epoch', {user}.password_changed_at)"


def may(version: str, *, device: str, mailbox: str) -> str:
    """Return SQL: the device under the alias `device` may still use the mailbox under the alias `mailbox`.

    A session outlives the sign-in that opened it, so this is asked again. `version` is the main password's at that
    sign-in (`credential_version`); other devices have secrets of their own.
    """
    return f"""{device}.revoked_at IS NULL AND {mailbox}.removed_at IS NULL AND {mailbox}.pop
        AND ({mailbox}.main_pop OR NOT {device}.main)
        AND EXISTS (SELECT 1 FROM mailstore_user u JOIN mailstore_domain dom ON dom.id = {mailbox}.domain_id
                     WHERE u.id = {mailbox}.user_id AND u.is_active AND dom.active
                       AND (NOT {device}.main OR {credential_version(user="u")} IS NOT DISTINCT FROM {version}))"""


BARRED = statement(
    "barred",
    f"""
    SELECT open.place
      FROM unnest(:device_ids::bigint[], :password_versions::float8[]) WITH ORDINALITY AS open (device, version, place)
     WHERE NOT EXISTS (SELECT 1 FROM mailstore_device d JOIN mailstore_mailbox box ON box.id = d.mailbox_id
                        WHERE d.id = open.device AND {may("open.version", device="d", mailbox="box")})
    """,
    purpose="Finds the open sessions that may use POP no more, by their places; also where the device is gone.",
    caller="maildrop/session_revocation.py, twice a second for all open sessions of a worker",
    parameters={
        "device_ids": "the device of each session (bigint[])",
        "password_versions": "the version of the main password that opened it, or NULL (float8[])",
    },
    locks="none",
    round_trips="1",
)

# Behind a set of a row: unpacked once. A large one lies compressed, and would be unpacked anew for each message.
WHOLE = "+ '{}'::int8multirange"

# Of hide and remove, the statements of a QUIT.
UPDATE_PARAMETERS = {
    "mailbox_id": "the mailbox, which lock has locked",
    "message_ids": "the messages that the session marked (bigint[])",
    "device_id": "the device that deletes",
    "change": "the change number at which the session opened: what was restored since is not meant",
    "password_version": "the version of the main password that opened the session, or NULL (float8)",
}

HIDE = statement(
    "hide",
    f"""
    WITH view AS MATERIALIZED (
        SELECT d.hidden {WHOLE} AS hidden
          FROM mailstore_device d JOIN mailstore_mailbox box ON box.id = :mailbox_id
         WHERE d.id = :device_id AND d.mode <> 'primary'
           AND {may(":password_version::float8", device="d", mailbox="box")}),
    fresh AS (
        SELECT m.added, m.octets
          FROM mailstore_message m JOIN view ON NOT view.hidden @> m.added
         WHERE m.mailbox_id = :mailbox_id AND m.id = ANY(:message_ids::bigint[]) AND m.removed IS NULL
           AND m.added <= :change),
    sums AS (
        SELECT count(*) AS messages, coalesce(sum(octets), 0) AS octets, range_agg(int8range(added, added + 1)) AS added
          FROM fresh),
    below AS MATERIALIZED (
        SELECT int8multirange(int8range(0, coalesce(
                   (SELECT m.added
                      FROM mailstore_message m
                     WHERE m.mailbox_id = :mailbox_id AND m.removed IS NULL
                       AND m.added >= coalesce((SELECT CASE WHEN lower(run) = 0 THEN upper(run) ELSE 0 END
                                                  FROM (SELECT unnest(view.hidden) AS run LIMIT 1) AS runs), 0)
                       AND NOT view.hidden @> m.added AND NOT sums.added @> m.added
                     ORDER BY m.added LIMIT 1), box.change + 1))) AS arrivals
          FROM view, sums, mailstore_mailbox box WHERE box.id = :mailbox_id AND sums.messages > 0),
    hiding AS (
        UPDATE mailstore_device d
           SET hidden = d.hidden + (sums.added + below.arrivals),
               hidden_messages = d.hidden_messages + sums.messages, hidden_octets = d.hidden_octets + sums.octets
          FROM below, sums
         WHERE d.id = :device_id
     RETURNING d.id)
    UPDATE mailstore_mailbox box SET change = box.change + 1 FROM hiding WHERE box.id = :mailbox_id
    """,
    purpose="""Hides messages from one device alone, unless the device is primary, which removes them. All numbers below
        the view's first visible message join the set, so that it stays one range where mail is read in order. That
        message is looked for from the end of this range on, past what is hidden.""",
    caller="maildrop/maildrop.py at QUIT, behind lock and before remove",
    parameters=UPDATE_PARAMETERS,
    locks="the device's row",
    round_trips="none of its own: it goes with remove",
)
