"""A real Dovecot without its master process: its POP3 shows a mailbox, its LDA fills one. For tests of moving in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

LIBRARY = Path("/usr/lib/dovecot")
NOBODY = 65534


@dataclass
class Dovecot:
    """Serves `location`, such as `maildir:/x/Maildir`, as an unprivileged user. `work` is a folder of its own."""

    work: Path
    location: str
    options: dict[str, str] = field(default_factory=dict)
    plugin: dict[str, str] = field(default_factory=dict)

    def show(self, *commands: str) -> list[str]:
        """Return the lines of the last reply of a POP3 session, which has several."""
        session = "".join(f"{command}\r\n" for command in (*commands, "QUIT")).encode()
        done = self._run(["pop3"], session)
        lines = done.stdout.decode("latin-1").split("\r\n")
        assert lines[0].startswith("+OK"), (done.stdout, done.stderr)
        begin = max(index for index, line in enumerate(lines[:-3]) if line.startswith("+OK")) if commands else 0
        return lines[begin + 1 : lines.index(".", begin)]

    def uidls(self) -> list[str]:
        """Return the UIDLs that a client sees, in its order."""
        return [line.split()[1] for line in self.show("UIDL")]

    def deliver(self, message: bytes) -> None:
        """Let the LDA deliver a message."""
        done = self._run(["dovecot-lda", "-e"], message)
        assert done.returncode == 0, done.stderr

    def _run(self, command: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
        program, *arguments = command
        demote = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]  # the ids come as one mapping
            [LIBRARY / program, "-c", self._config(), *arguments],
            input=data,
            capture_output=True,
            env={"USER": "nobody", "HOME": str(self.work), "PATH": os.environ["PATH"]},
            timeout=30,
            check=False,
            **demote,
        )

    def _config(self) -> Path:
        self.work.mkdir(exist_ok=True)
        settings = {
            "mail_location": self.location, "log_path": self.work / "log", "base_dir": self.work / "run", "ssl": "no",
            "state_dir": self.work, "mail_home": self.work, "first_valid_uid": 1, "protocols": "pop3",
            "postmaster_address": "postmaster@example.org", "hostname": "mx.example.org", **self.options,
        }  # fmt: skip
        plugin = "".join(f"  {name} = {value}\n" for name, value in self.plugin.items())
        config = self.work / "dovecot.conf"
        config.write_text(
            "".join(f"{name} = {value}\n" for name, value in settings.items()) + f"plugin {{\n{plugin}}}\n"
        )
        own(self.work)
        return config


def own(folder: Path) -> None:
    """Give a folder and what is in it to the user that Dovecot runs as."""
    for path in (folder, *folder.rglob("*")) if os.getuid() == 0 else ():
        os.chown(path, NOBODY, NOBODY)
