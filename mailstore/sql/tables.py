"""The tables that retention works on: the real ones in a pass, copies of some of their rows in a dry run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of the tables, or of what stands in for them. Statements take it as an argument: what a dry run and a
    forecast judge, they judge by the statements of the pass."""

    mailbox: str = "mailstore_mailbox"
    device: str = "mailstore_device"
    message: str = "mailstore_message"
    earlier_stay: str = "mailstore_earlierstay"
    body: str = "mailstore_body"
    domain: str = "mailstore_domain"
    policy: str = "mailstore_retentionpolicy"


REAL = Tables()
