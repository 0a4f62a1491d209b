"""A real Dovecot with its master process, that listens: the old server in tests of moving in over POP3."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.installed_program import program
from tests.transfer.dovecot import NOBODY, own

CONFIG = """
base_dir = {work}/run
state_dir = {work}/run
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
log_path = /dev/stderr
protocols = pop3
listen = 127.0.0.1
first_valid_uid = 1
first_valid_gid = 1
auth_mechanisms = plain login
auth_failure_delay = 0
mail_max_userip_connections = 0
mail_location = maildir:~/Maildir
ssl = yes
ssl_cert = <{work}/cert.pem
ssl_key = <{work}/key.pem
passdb {{
  driver = passwd-file
  args = username_format=%u {work}/users/%u
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={work}/%u
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  # Else each wrong password of an earlier test makes the next answer later, up to 15 s.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


class Pair(Protocol):
    """A certificate with its key, and the file that a client trusts."""

    cert_file: Path
    key_file: Path
    ca_file: Path


@dataclass
class DovecotServer:
    """Listens on two ports of loopback, with and without implicit TLS. `work` has its configuration and mail."""

    work: Path
    authority: Pair
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    tls_port: int = 0
    _users: int = 0

    @property
    def url(self) -> str:
        return f"pop3s://localhost:{self.tls_port}"

    @property
    def stls_url(self) -> str:
        return f"pop3://localhost:{self.port}"

    def user(self, password: str, *messages: bytes, name: str = "", stored: str = "") -> str:
        """Add a user with messages in their order, and return the name. `stored` is the hash of the password."""
        name = name or f"ann{self._users}@old.example"
        for part in ("cur", "new", "tmp"):
            (self.maildir(name) / part).mkdir(parents=True)
        for number, message in enumerate(messages):
            self.put(name, number, message)
        file = self.work / "users" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{name}:{stored or '{PLAIN}' + password}\n")
        own(file.parent)
        own(self.work / name)
        self._users += 1
        return name

    def maildir(self, name: str) -> Path:
        return self.work / name / "Maildir"

    def put(self, name: str, number: int, message: bytes) -> None:
        """Add a message to the mail of a user."""
        (self.maildir(name) / "new" / f"13{number:08}.m.host,S={len(message)}").write_bytes(message)
        own(self.maildir(name))

    def config(self) -> Path:
        shutil.copy(self.authority.cert_file, self.work / "cert.pem")
        shutil.copy(self.authority.key_file, self.work / "key.pem")
        root = os.getuid() == 0
        values = {
            "work": self.work, "port": self.port, "tls_port": self.tls_port,
            "user": "nobody" if root else _name(), "group": "nogroup" if root else _group(),
            "uid": NOBODY if root else os.getuid(), "gid": NOBODY if root else os.getgid(),
        }  # fmt: skip
        file = self.work / "dovecot.conf"
        more = "".join(f"{name} = {value}\n" for name, value in self.settings.items())
        file.write_text(CONFIG.format(**values) + more)
        own(self.work)
        return file


@contextmanager
def dovecot_server(authority: Pair, **settings: str) -> Iterator[DovecotServer]:
    """Start a server in a folder of its own; it is stopped, and the folder removed, at the end."""
    work = Path(tempfile.mkdtemp(prefix="popadmin-old-server-"))
    work.chmod(0o755)
    server = DovecotServer(work, authority, settings)
    (server.port, held), (server.tls_port, held_too) = _free_port(), _free_port()
    held.close()
    held_too.close()
    server.user("nobody's password")
    demote = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    command = [program("dovecot"), "-F", "-c", str(server.config())]
    process = subprocess.Popen(command, cwd="/", stderr=subprocess.PIPE, text=True, **demote)  # type: ignore[call-overload]  # the ids come as one mapping
    try:
        _wait_until_listening(process)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        shutil.rmtree(work)


def _wait_until_listening(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "starting up" in line:
            return
    raise AssertionError("".join(lines))


def _free_port() -> tuple[int, socket.socket]:
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    return probe.getsockname()[1], probe


def _name() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _group() -> str:
    return grp.getgrgid(os.getgid()).gr_name
