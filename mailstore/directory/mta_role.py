"""The role of Postgres by which MTAs read their views, and can read nothing else: what it lacks, as SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import ProgrammingError, connection, transaction
from django.utils.translation import gettext as _
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from mailstore.directory.outcome import Rejected

ROLE = "popadmin_mta"
VIEWS = ("mta_domains", "mta_mailboxes", "mta_aliases", "mta_senders")
CONNECTIONS_AT_MOST = 50  # a Postfix without its proxymap opens one for each smtpd and map
# A look-up takes a millisecond. What takes two seconds is stopped before it takes the connections of the mail path.
SETTINGS = {"default_transaction_read_only": "on", "statement_timeout": "2s"}

_STATE = """
SELECT r.rolcanlogin, r.rolconnlimit, coalesce(r.rolconfig, '{}'),
       r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
           OR EXISTS (SELECT FROM pg_auth_members member WHERE member.member = r.oid),
       ARRAY(SELECT DISTINCT c.relname::text
               FROM pg_class c LEFT JOIN LATERAL aclexplode(c.relacl) AS entry ON true
              WHERE c.relnamespace = current_schema()::regnamespace
                AND (c.relowner = r.oid OR entry.grantee = r.oid
                     AND NOT (c.relname = ANY(%(views)s::text[]) AND entry.privilege_type = 'SELECT'))),
       ARRAY(SELECT name FROM unnest(%(views)s::text[]) AS name WHERE NOT has_table_privilege(r.oid, name, 'SELECT')),
       has_database_privilege(r.oid, current_database(), 'CONNECT'),
       has_schema_privilege(r.oid, current_schema(), 'USAGE')
  FROM pg_roles r WHERE r.rolname = %(role)s
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement that the role needs, and what it changes, in a few words of English for the shell."""

    change: str
    sql: str


@dataclass(frozen=True, slots=True)
class _State:
    """What Postgres says of the role, in the columns of _STATE."""

    can_login: bool
    connections_at_most: int
    settings: Sequence[str]
    may_do_more: bool
    other_tables: Sequence[str]
    missing_views: Sequence[str]
    may_connect: bool
    may_use_schema: bool


def exists(role: str) -> bool:
    return _state(role) is not None


def steps(role: str, *, password: str | None) -> list[Step]:
    """Return what is missing until the role reads the views and nothing else. No password: it stays as it is.

    The password stands in the SQL as a SCRAM verifier, so no log of the server has it. Rejected for a role that can do
    more: it is somebody else's.
    """
    state = _state(role)
    if state is not None:
        _refuse_other_rights(role, state)
    return [*_of_role(role, state, password), *_of_rights(role, state)]


def apply(wanted: Sequence[Step]) -> bool:
    """Run the statements, all or none. Return False where this user of the database may not."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for step in wanted:
                cursor.execute(step.sql.replace("%", "%%"), [])
    except ProgrammingError as error:
        if isinstance(error.__cause__, InsufficientPrivilege):
            return False
        raise
    return True


def _state(role: str) -> _State | None:
    with connection.cursor() as cursor:
        cursor.execute(_STATE, {"role": role, "views": list(VIEWS)})
        row = cursor.fetchone()
    return None if row is None else _State(*row)


def _refuse_other_rights(role: str, state: _State) -> None:
    names = {"role": role}
    if state.may_do_more:
        raise Rejected(_("the role %(role)s can do more than read views: choose another name by --role") % names)
    if state.other_tables:
        names["tables"] = ", ".join(sorted(state.other_tables))
        raise Rejected(_("the role %(role)s has rights on %(tables)s too: choose another name by --role") % names)


def _of_role(role: str, state: _State | None, password: str | None) -> Iterator[Step]:
    if state is None:
        yield _step("created", "CREATE ROLE {role} LOGIN", role)
    elif not state.can_login:
        yield _step("may sign in", "ALTER ROLE {role} LOGIN", role)
    if password is not None:
        verifier = sql.Literal(_verifier(role, password))
        yield _step("password set", "ALTER ROLE {role} PASSWORD {value}", role, value=verifier)
    if state is None or state.connections_at_most != CONNECTIONS_AT_MOST:
        change = f"at most {CONNECTIONS_AT_MOST} connections"
        yield _step(change, "ALTER ROLE {role} CONNECTION LIMIT {value}", role, value=sql.Literal(CONNECTIONS_AT_MOST))
    for name, value in SETTINGS.items():
        if state is None or f"{name}={value}" not in state.settings:
            statement = f"ALTER ROLE {{role}} SET {name} = {{value}}"
            yield _step(f"{name} = {value}", statement, role, value=sql.Literal(value))


def _of_rights(role: str, state: _State | None) -> Iterator[Step]:
    for view in VIEWS if state is None else state.missing_views:
        yield _step(f"reads {view}", "GRANT SELECT ON {value} TO {role}", role, value=sql.Identifier(view))
    if state is not None and not state.may_connect:
        database = sql.Identifier(str(connection.settings_dict["NAME"]))
        yield _step("may connect", "GRANT CONNECT ON DATABASE {value} TO {role}", role, value=database)
    if state is not None and not state.may_use_schema:
        yield _step("sees the schema", "GRANT USAGE ON SCHEMA {value} TO {role}", role, value=sql.Identifier(_schema()))


def _step(change: str, statement: str, role: str, **values: sql.Composable) -> Step:
    composed = sql.SQL(statement).format(role=sql.Identifier(role), **values)
    return Step(change, composed.as_string(connection.connection))


def _verifier(role: str, password: str) -> str:
    libpq = connection.connection.pgconn
    encrypted: bytes = libpq.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return encrypted.decode()


def _schema() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])
