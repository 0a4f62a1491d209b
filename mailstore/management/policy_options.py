"""The options that choose a retention policy, the same for domains and mailboxes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from mailstore.directory import policies
from mailstore.management.shell import UNSET


def policy_arguments(parser: CommandParser) -> None:
    parser.add_argument("--policy", default=UNSET, metavar="NAME|none", help="the retention policy it follows")
    parser.add_argument("--policy-at-once", action="store_true", help="for mail that is there too, at the next sweep")


def policy_fields(options: dict[str, Any]) -> dict[str, Any]:
    """What `ensure` of the store is to set, as the options say. Rejected when there is no such policy."""
    if "policy" not in options:
        return {}
    name = options["policy"]
    policy = None if name.lower() == "none" else policies.get(name)
    return {"policy": policy, "policy_at_once": options["policy_at_once"]}
