"""The units of systemd, from deploy/systemd/popadmin.service: one for the whole site, or one for each part."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from popadmin.up.services import SWEEP_SECONDS, gunicorn

WHOLE = "popadmin.service"
_TEMPLATE = settings.PAGES_DIR / "deploy" / "systemd" / WHOLE
_WORDS = "@PROGRAM@ up --without-admin"  # what the unit of the whole site starts
_WHO = "popadmin: POP mailboxes"
_GROUP = "Group=popadmin\n"
LOG_PART = "mta-log"
# Beside the unit of the whole site, which the package may have brought.
LOG_DROP_IN = f"{WHOLE}.d/mta-log.conf"


@dataclass(frozen=True, slots=True)
class Part:
    """A service of its own. `words` are those of its command of popadmin; the web has none: gunicorn starts it.

    Without the setting `variable` there is nothing for it to do.
    """

    name: str
    who: str
    words: tuple[str, ...] = ()
    variable: str = ""

    @property
    def unit(self) -> str:
        return f"popadmin-{self.name}.service"


PARTS = (
    Part("web", "the web pages"),
    Part("pop3d", "POP3", ("pop3d",)),
    Part("lmtpd", "mail from the MTA", ("lmtpd",)),
    Part("authd", "sign-in of the MTA's users", ("authd",), "SASL_LISTEN"),
    Part("policyd", "what the MTA asks before it takes mail", ("policyd",), "POLICY_LISTEN"),
    Part(LOG_PART, "what the log of the MTA adds to the trace", ("read-mta-log", "--follow"), "MTA_LOG"),
    Part("sweep", "retention, warnings, checks", ("sweep", "--every", str(SWEEP_SECONDS))),
)


def parts(settings: Mapping[str, str]) -> list[Part]:
    """Return the parts that have something to do under these settings."""
    return [part for part in PARTS if not part.variable or settings.get(part.variable)]


def whole(program: Sequence[str]) -> str:
    """Return the unit of the whole site, which `program` starts."""
    return _TEMPLATE.read_text().replace("@PROGRAM@", shlex.join(program))


def log_drop_in(group: str) -> str:
    """Return what lets the whole site read the log of the MTA."""
    return f"[Service]\nSupplementaryGroups={group}\n"


def part(part: Part, program: Sequence[str], web_addresses: Sequence[str], *, log_group: str = "") -> str:
    """Return the unit of a part. The one that reads the log of the MTA, and no other, is in `log_group`."""
    words = shlex.join((*program, *part.words) if part.words else gunicorn(web_addresses))
    text = _TEMPLATE.read_text().replace(_WORDS, words).replace(_WHO, f"popadmin: {part.who}")
    if part.name == LOG_PART and log_group:
        text = text.replace(_GROUP, f"{_GROUP}SupplementaryGroups={log_group}\n")
    return text.replace("After=network-online.target", "After=network-online.target postgresql.service")
