"""What somebody typed into a search, as it may be stored: lower case, and domains in their A-labels."""

from __future__ import annotations

from mailstore.policy.addresses import BadAddress, normal_domain


def domain_name(typed: str) -> str:
    """Of what was meant as a domain; a part of one is itself."""
    part = typed.strip().lower()
    try:
        return normal_domain(part)
    except BadAddress:
        return part


def spellings(typed: str) -> list[str]:
    """Of a part of an address; a second one where a domain behind its @, or all of it, is written in another script."""
    part = typed.lower()
    if part.isascii():
        return [part]
    local_part, at, domain = part.rpartition("@")
    stored = f"{local_part}{at}{domain_name(domain)}"
    return [part] if stored == part else [part, stored]
