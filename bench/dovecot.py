"""Dovecot 2.3, set up as an expert would for many POP3 users with accounts in SQL; not a guide to Dovecot.

It runs from a folder of its own, as one unprivileged user, and never touches the system's Dovecot.
"""

from __future__ import annotations

import base64
import grp
import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import argon2
import psycopg

from bench import mail
from bench.mailbox_groups import Group
from bench.meter import Meter
from bench.postgres import Cluster
from bench.side import NOBODY, Addresses, free_address, give_away, listed, stop, unprivileged, wait_for
from mailstore.directory.password_hasher import Argon2

DATABASE = "dovecot"
# Measured: Maildir is ahead in fetching, draining and delivering, sdbox where 20,000 messages are opened.
LOCATION = "maildir:~/mail"
HUGE_LOCATION = "sdbox:~/mail"
SESSIONS_A_PROCESS = 20
LMTP_PROCESSES = 8  # as many as the load has connections

CONFIG = """
# --- a server of its own, all of it one user
base_dir = {run}
state_dir = {run}
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
log_path = {log}
protocols = pop3 lmtp
listen = 127.0.0.1
first_valid_uid = {uid}
first_valid_gid = {gid}

# --- limits that must not be what is measured
default_client_limit = 8000
default_process_limit = 2500
mail_max_userip_connections = 0

# --- sign-in: SQL, with the answer of the userdb in the same query, and a cache in front of both
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 64 M
auth_cache_ttl = 1 hour
auth_cache_negative_ttl = 1 hour
passdb {{
  driver = sql
  args = {folder}/dovecot-sql.conf
}}
userdb {{
  driver = prefetch
}}
userdb {{
  driver = sql
  args = {folder}/dovecot-sql.conf
}}

# --- TLS, as the other side: 1.2 and 1.3, the same certificate
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2

# --- mail at rest
mail_location = {location}
mailbox_list_index = no
# Changed only by Dovecot: new/ and cur/ need not be compared with the index at each sign-in.
maildir_very_dirty_syncs = yes
# CRLF at rest: RETR need not look for line ends.
mail_save_crlf = yes
# Deliveries are synced to disk before the reply, as on the other side.
mail_fsync = optimized

# --- POP3: no lock file, no rewritten flags, sizes from the index or the file name
protocol pop3 {{
  pop3_lock_session = no
  pop3_no_flag_updates = yes
  pop3_fast_size_lookups = yes
}}

# "High-performance mode": login processes are kept and serve many; one per core.
service pop3-login {{
  service_count = 0
  process_min_avail = {cores}
  client_limit = 4000
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
# Processes serve many users, one after the other and several at once. This is not the default, because a slow disk read
# then delays other users, but a poll takes 15 % less CPU and a fraction of the memory.
service pop3 {{
  service_count = 0
  client_limit = {shared}
  process_min_avail = {cores}
}}
service lmtp {{
  service_count = 0
  process_min_avail = {spare}
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""

SQL_CONFIG = """
driver = pgsql
connect = {conninfo}
password_query = SELECT address AS user, password, home AS userdb_home, mail AS userdb_mail, \
  {uid} AS userdb_uid, {gid} AS userdb_gid FROM users WHERE address = '%Lu'
user_query = SELECT home, mail, {uid} AS uid, {gid} AS gid FROM users WHERE address = '%Lu'
iterate_query = SELECT address AS user FROM users
"""


def installed() -> bool:
    return shutil.which("dovecot") is not None


class Dovecot:
    """Dovecot on Maildir; docs/bench.md says how the format was chosen."""

    name = "dovecot"

    def __init__(self, folder: Path, meter: Meter, certificate: tuple[Path, Path]) -> None:
        self.meter = meter
        self.addresses = Addresses(free_address(), free_address(), free_address())
        self.log = folder / "dovecot.log"
        self._folder = give_away(folder)
        self._homes = give_away(folder / "homes")
        self._config = folder / "dovecot.conf"
        self._cluster = Cluster(folder / "postgres", meter)
        self._certificate = certificate
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._cluster.start(DATABASE)
        self._sql(
            "CREATE TABLE users"
            " (address text PRIMARY KEY, password text NOT NULL, home text NOT NULL, mail text NOT NULL)"
        )
        self._write_config()
        self._start_server()

    def _sql(self, statement: str, rows: Sequence[tuple[str, ...]] = ((),)) -> None:
        with psycopg.connect(self._cluster.conninfo(DATABASE)) as connection:
            connection.cursor().executemany(statement.encode(), rows)

    def _write_config(self) -> None:
        uid = os.getuid() or NOBODY
        person = pwd.getpwuid(uid)
        cert, key = self._certificate
        values = {
            "run": give_away(self._folder / "run"),
            "folder": self._folder,
            "log": self.log,
            "uid": uid,
            "gid": person.pw_gid,
            "user": person.pw_name,
            "group": _group(person.pw_gid),
            "cert": cert,
            "key": key,
            "cores": os.cpu_count(),
            "spare": LMTP_PROCESSES,
            "shared": SESSIONS_A_PROCESS,
            "location": LOCATION,
            "pop3": self.addresses.pop3.port,
            "pop3s": self.addresses.pop3s.port,
            "lmtp": self.addresses.lmtp.port,
            "conninfo": self._cluster.conninfo(DATABASE),
        }
        self._config.write_text(CONFIG.format(**values))
        (self._folder / "dovecot-sql.conf").write_text(SQL_CONFIG.format(**values))

    def _start_server(self) -> None:
        command = unprivileged(["dovecot", "-F", "-c", str(self._config)])
        self._process = self.meter.start(command, cwd="/")
        for address in (self.addresses.pop3, self.addresses.pop3s, self.addresses.lmtp):
            wait_for(address)

    def stop(self) -> None:
        stop(self._process)
        self._cluster.stop()

    def restart_pop3(self) -> None:
        stop(self._process)
        self._start_server()

    def accounts(self, groups: Sequence[Group]) -> None:
        self._sql("INSERT INTO users VALUES (%s, %s, %s, %s)", [row for group in groups for row in self._rows(group)])

    def _rows(self, group: Group) -> Iterator[tuple[str, ...]]:
        hashed = _argon2id(mail.PASSWORD) if group.slow_hash else _salted_sha256(mail.PASSWORD)
        location = HUGE_LOCATION if group.copies else LOCATION
        for user in group.users:
            yield user, hashed, str(self._homes / user), location

    def duplicate_message(self, address: str, count: int) -> None:
        """Copy all messages, again and again, with Dovecot's own tool, so that Dovecot writes its index itself."""
        have = 1
        while have < count:
            more = min(have, count - have)
            self._doveadm("copy", "-u", address, "INBOX", "mailbox", "INBOX", f"1:{more}")
            have += more

    def _doveadm(self, *arguments: str) -> None:
        command = ["doveadm", "-c", str(self._config), *arguments]
        subprocess.run(unprivileged(command), check=True, cwd="/", capture_output=True)

    def server_pids(self) -> list[int]:
        return listed(self.meter, without="postgres")


def _group(gid: int) -> str:
    return grp.getgrgid(gid).gr_name


def _salted_sha256(password: str) -> str:
    """Return the cheapest hash that is not plain text: the benchmark compares servers, not hashes."""
    salt = os.urandom(8)
    return "{SSHA256}" + base64.b64encode(hashlib.sha256(password.encode() + salt).digest() + salt).decode()


def _argon2id(password: str) -> str:
    """Return a hash with the same cost as popadmin's."""
    hasher = argon2.PasswordHasher(time_cost=Argon2.time_cost, memory_cost=Argon2.memory_cost, parallelism=1)
    return "{ARGON2ID}" + hasher.hash(password)
