"""A bare machine for tests: namespaces that show the programs of this machine, and copies of its /etc and /var.

Its processes, network, users and files are its own. All of it is gone when the first process in it ends. That one waits
for the end of the test, so nothing stays behind a test that is killed either.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.flows.exim import UNPACKED, USER
from tests.installed_program import unavailable
from tests.up.programs import REPOSITORY, await_line

READY = "ready"
LONGEST_SECONDS = 100  # of one command: `mta check` waits for mail on its way
CHECKOUT, PACKAGES = "/opt/popadmin", "/opt/packages"  # an ordinary user reaches both, wherever those of the test lie
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Without /run/systemd nothing here believes that systemd runs the machine.
ENTER = f"""
set -e
ip link set lo up
hostname mail.example.test
mount -t tmpfs tmpfs /mnt
overlay() {{
    mkdir -p "/mnt/$3/upper" "/mnt/$3/work"
    mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/$3/upper,workdir=/mnt/$3/work" "$2"
}}
for folder in etc var/lib var/spool; do overlay "/$folder" "/$folder" "$folder"; done
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /opt
mkdir {CHECKOUT} {PACKAGES}
mount --bind "$2" {PACKAGES}
mount -o remount,bind,ro {PACKAGES}
overlay "$1" {CHECKOUT} checkout
rm -rf {CHECKOUT}/.env /etc/popadmin* /var/lib/popadmin
"""
STAY = f"""
echo {READY}
exec cat
"""
# As its package leaves it for an Internet Site.
POSTFIX = """
rm -rf /etc/postfix/popadmin /var/spool/postfix/popadmin
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
cat > /etc/postfix/main.cf <<'END'
compatibility_level = 3.6
myhostname = mail.example.test
mydestination = $myhostname, localhost
mynetworks = 127.0.0.0/8
inet_interfaces = all
recipient_delimiter = +
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
END
"""
# Unpacked by .ci/run (tests/flows/exim.py).
EXIM = f"""
mount -t overlay overlay -o lowerdir={UNPACKED}/usr:/usr /usr
adduser --system --group --quiet --allow-bad-names --home /var/spool/exim4 {USER}
rm -rf /var/spool/exim4 /etc/exim4
install -d -o {USER} -g {USER} -m 0750 /var/spool/exim4
mount -t tmpfs tmpfs /var/log
install -d -o {USER} -g adm -m 2750 /var/log/exim4
install -d -o {USER} -g {USER} /run/exim4
mkdir /etc/exim4
"""


# Its standard input is one end of a pair of sockets: by it the connection comes out of the namespace.
CONNECT = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as made:
    socket.send_fds(socket.socket(fileno=0), [b"made"], [made.fileno()])
"""


class BareMachine:
    """How a command runs on it, as root and with nothing of the environment of the tests."""

    def __init__(self, process_id: int) -> None:
        self._process_id = process_id

    def within(self, *command: str) -> list[str]:
        enter = ("nsenter", f"--target={self._process_id}", "--mount", "--net", "--pid", "--uts", "--ipc", "--")
        return [*enter, "env", "--ignore-environment", "--chdir=/", f"PATH={PATH}", *command]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.within(*command), capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
        )

    def popadmin(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run(f"{PACKAGES}/bin/python", f"{CHECKOUT}/manage.py", *words)

    def connect(self, port: int) -> socket.socket:
        """Return a connection to a port of its loopback. A socket stays in the network where it was made."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            subprocess.run(
                self.within("python3", "-c", CONNECT, str(port)), stdin=theirs, timeout=LONGEST_SECONDS, check=True
            )
            _data, (descriptor,), _flags, _address = socket.recv_fds(ours, 16, 1)
        return socket.socket(fileno=descriptor)


@contextmanager
def bare_machine(mta: str) -> Iterator[BareMachine]:
    """A machine with the programs of this one, and what the lines `mta` make of it."""
    if os.geteuid() != 0:
        unavailable("only root can make a machine of namespaces")
    first = subprocess.Popen(
        _entering(mta, str(REPOSITORY), str(Path(sys.prefix).resolve())),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        await_line(first, READY)
        yield BareMachine(_only_child(first.pid))
    finally:
        first.communicate(timeout=LONGEST_SECONDS)


def _entering(mta: str, *arguments: str) -> Sequence[str]:
    namespaces = ("--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc")
    return ["unshare", *namespaces, "sh", "-c", ENTER + mta + STAY, "sh", *arguments]


def _only_child(process_id: int) -> int:
    (child,) = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    return int(child)
