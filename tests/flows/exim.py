"""An Exim for tests, beside the Postfix of the system, which its package would replace: unpacked, and seen only by it.

`.ci/run` unpacks the packages. A mount namespace shows them to a process, with Exim's user, and a queue and logs of its
own.
"""

from __future__ import annotations

import os
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.installed_program import unavailable
from tests.listeners import LONGEST_WAIT_SECONDS
from tests.up.programs import until

UNPACKED = Path("/var/cache/popadmin-tests/exim4")
USER, USER_ID = "Debian-exim", 9901
ENTER = """
set -e
mount -t overlay overlay -o lowerdir={unpacked}/usr:/usr /usr
mount --bind {folder}/passwd /etc/passwd
mount --bind {folder}/group /etc/group
mount --bind {folder}/spool /var/spool
mount --bind {folder}/log /var/log
exec "$@"
"""


class Exim:
    """Its folder, and how a command sees it as if it were installed."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address

    @property
    def directory(self) -> Path:
        return self.folder / "etc"

    def within(self, *command: str) -> list[str]:
        script = ENTER.format(unpacked=UNPACKED, folder=self.folder)
        return ["unshare", "--mount", "sh", "-c", script, "sh", *command]

    def run(self, *command: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.within(*command), input=stdin, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, **environment},
        )  # fmt: skip

    def log(self) -> str:
        file = self.folder / "log/exim4/mainlog"
        return file.read_text() if file.exists() else ""

    def own(self, file: Path) -> Path:
        """Copy a file to where Exim's user can read it; return the copy."""
        copy = self.directory / file.name
        shutil.copy(file, copy)
        shutil.chown(copy, USER_ID, USER_ID)
        return copy

    @contextmanager
    def running(self, ports: Sequence[int]) -> Iterator[None]:
        """Run the daemon on these ports of its address."""
        interfaces = "<; " + " ; ".join(f"{self.address}.{port}" for port in ports)
        config = str(self.directory / "exim4.conf")
        daemon = subprocess.Popen(
            self.within("exim4", "-C", config, "-bdf", "-q1m", "-oX", interfaces),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until(lambda: self._answers(ports[0], daemon), "Exim answers")
            yield
        finally:
            daemon.terminate()
            daemon.wait(60)

    def _answers(self, port: int, daemon: subprocess.Popen[bytes]) -> bool:
        assert daemon.poll() is None, f"Exim ended: {self.log()}"
        try:
            smtplib.SMTP(self.address, port, timeout=LONGEST_WAIT_SECONDS).quit()
        except OSError:
            return False
        return True


@contextmanager
def exim() -> Iterator[Exim]:
    """An Exim without a configuration; its folder is gone at the end."""
    if os.geteuid() != 0 or not (UNPACKED / "usr/sbin/exim4").exists():
        unavailable(f"only root can start an Exim, which .ci/run unpacks to {UNPACKED}")
    folder = Path(tempfile.mkdtemp(prefix="popadmin-exim-"))
    folder.chmod(0o755)
    try:
        for name in ("etc", "spool/exim4", "log/exim4"):
            (folder / name).mkdir(parents=True)
        for name in ("spool/exim4", "log/exim4"):
            shutil.chown(folder / name, USER_ID, USER_ID)
        entry = f"{USER}:x:{USER_ID}:{USER_ID}::/var/spool/exim4:/usr/sbin/nologin\n"
        (folder / "passwd").write_text(Path("/etc/passwd").read_text() + entry)
        (folder / "group").write_text(f"{Path('/etc/group').read_text()}{USER}:x:{USER_ID}:\n")
        yield Exim(folder, f"127.{os.getpid() >> 8 & 0xFF}.{os.getpid() & 0xFF}.20")
    finally:
        shutil.rmtree(folder)
