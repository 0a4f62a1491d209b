"""Who may enter the private Postgres where an MTA looks addresses up in it (`MTA_SQL_LISTEN`): its pg_hba.conf."""

from __future__ import annotations

from pathlib import Path

from mailstore import durable_file
from mailstore.directory.mta_role import ROLE

# The socket's folder lets in its owner alone, so there everybody is trusted, as the cluster was made. By TCP, on
# loopback, the MTA's role comes to popadmin's database with its password, and nobody else comes at all. The networks
# are named: `samehost` asks the kernel for its addresses by netlink, which the service may not.
_RULES = """\
# Written by popadmin at each start, since MTA_SQL_LISTEN is set. Changes here are lost.
local  all  all      trust
host   {databases}  {role}  127.0.0.0/8  scram-sha-256
host   {databases}  {role}  ::1/128      scram-sha-256
host   all  all  all  reject
"""


def write(folder: Path, *, databases: str) -> Path:
    """Write the rules below the folder, and return the file."""
    file = folder / "pg_hba.conf"
    durable_file.write(file, _RULES.format(databases=databases, role=ROLE).encode())
    return file
