"""A Postfix for tests: configuration, queue and log in one folder; the Postfix of the system is not touched."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.installed_program import program, unavailable
from tests.listeners import LONGEST_WAIT_SECONDS
from tests.up.programs import until

PORT = 2525
_hosts = itertools.count(25)
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mta.example.test
mydestination =
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = {domains}
virtual_transport = {transport}
# Nothing leaves this machine, and no name is asked for.
default_transport = error:5.4.4 this server sends nothing out
relay_transport = error:5.4.4 this server sends nothing out
disable_dns_lookups = yes
smtpd_peername_lookup = no
"""
MASTER = """
{address}:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
showq unix n - n - - showq
tlsmgr unix - - n 1000? 1 tlsmgr
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A running Postfix; `submit` hands mail to it as a server elsewhere would."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self._log = folder / "log"

    def submit(self, message: bytes, *recipients: str, sender: str, options: tuple[str, ...] = ()) -> None:
        """By SMTP; every recipient must be taken."""
        with smtplib.SMTP(self.address, PORT, timeout=LONGEST_WAIT_SECONDS) as smtp:
            smtp.ehlo("elsewhere.example")
            assert smtp.sendmail(sender, recipients, message, mail_options=options) == {}

    def reload(self) -> None:
        """Let it read its configuration, and open its maps, again."""
        subprocess.run(
            [required(), "-c", str(self.folder / "etc"), "reload"], capture_output=True, timeout=60, check=True
        )

    def log_line(self, recipient: str, status: str) -> str:
        """Wait until the mail to a recipient has this status, and return the line of the log."""
        wanted = re.compile(rf"to=<{re.escape(recipient)}>.* status={status} .*")
        until(lambda: wanted.search(self.log()), f"the mail to {recipient} is {status}")
        return wanted.findall(self.log())[-1]

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def queue(self) -> list[dict[str, object]]:
        """What waits in the queue, as postqueue tells it."""
        listed = subprocess.run(
            [program("postqueue"), "-c", str(self.folder / "etc"), "-j"],
            capture_output=True, timeout=30, check=True,
        )  # fmt: skip
        return [json.loads(line) for line in listed.stdout.splitlines()]


def required() -> str:
    """The path of Postfix' command, where one can be started; see `unavailable`."""
    return program("postfix") if os.geteuid() == 0 else unavailable("only root can start a Postfix")


@contextmanager
def postfix(transport: str, *domains: str, settings: str = "") -> Iterator[Postfix]:
    """Start one that hands mail for `domains` to `transport`; stop it and remove its folder at the end.

    `settings` are more lines of main.cf, which win; `{folder}` in them is the folder.
    """
    command = required()
    folder = Path(tempfile.mkdtemp(prefix="popadmin-postfix-"))
    # An address of its own on loopback, so that the port cannot be taken.
    address = f"127.{os.getpid() >> 8 & 0xFF}.{os.getpid() & 0xFF}.{next(_hosts)}"
    try:
        _configure(folder, address, transport, domains, settings)
        running = subprocess.Popen(
            [command, "-c", str(folder / "etc"), "start-fg"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            made = Postfix(folder, address)
            _await_greeting(made, running)
            yield made
        finally:
            subprocess.run([command, "-c", str(folder / "etc"), "stop"], capture_output=True, timeout=60, check=False)
            running.wait(60)
    finally:
        shutil.rmtree(folder)


def _configure(folder: Path, address: str, transport: str, domains: tuple[str, ...], more: str) -> None:
    folder.chmod(0o755)
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    settings = {"folder": folder, "transport": transport, "domains": ", ".join(domains)}
    wanted = set(re.findall(r"^(\w+) =", more, re.MULTILINE))
    kept = [line for line in MAIN.format(**settings).splitlines() if line.partition(" =")[0] not in wanted]
    (folder / "etc" / "main.cf").write_text("\n".join([*kept, more.replace("{folder}", str(folder)), ""]))
    (folder / "etc" / "master.cf").write_text(MASTER.format(address=address, port=PORT))


def _await_greeting(made: Postfix, running: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        assert running.poll() is None, f"Postfix ended: {made.log()}"
        try:
            smtplib.SMTP(made.address, PORT, timeout=LONGEST_WAIT_SECONDS).quit()
        except OSError:
            return False
        return True

    until(answers, "Postfix answers")
