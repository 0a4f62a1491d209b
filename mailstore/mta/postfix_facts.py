"""What Postfix says of its configuration. It changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailstore.mta import program

DIRECTORY = Path("/etc/postfix")
QUEUE = Path("/var/spool/postfix")
OWNER = "postfix"


@dataclass(frozen=True, slots=True)
class PostfixFacts:
    """The parameters of one configuration directory, expanded, and its services as `postconf -M` prints them.

    Where nothing can be read, the parameters are Postfix' defaults.
    """

    directory: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    services: tuple[tuple[str, ...], ...] = ()

    @property
    def queue(self) -> Path:
        return Path(self.parameters.get("queue_directory") or QUEUE)

    @property
    def owner(self) -> str:
        """Return the user, and the group, whose files Postfix reads."""
        return self.parameters.get("mail_owner") or OWNER

    def words(self, parameter: str) -> list[str]:
        """Return the members of a parameter that is a list."""
        return self.parameters.get(parameter, "").replace(",", " ").split()


def read(directory: Path) -> PostfixFacts:
    """Ask Postfix for the parameters of a directory, and for its services."""
    if not (directory / "main.cf").exists():
        return PostfixFacts(directory)
    said = program.run(["postconf", "-c", str(directory), "-x"])
    if not said.good:
        return PostfixFacts(directory)
    pairs = (line.partition("=") for line in said.output.splitlines())
    services = program.run(["postconf", "-c", str(directory), "-M"]).output.splitlines()
    parameters = {name.strip(): value.strip() for name, _equals, value in pairs}
    return PostfixFacts(directory, parameters, tuple(tuple(line.split()) for line in services))


def is_running(directory: Path) -> bool:
    return program.run(["postfix", "-c", str(directory), "status"]).good
