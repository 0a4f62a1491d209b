"""Convert what users type into a search to the stored form: lower case, and domains in A-labels."""

from __future__ import annotations

from mailstore.policy.addresses import BadAddress, normal_domain


def domain_name(typed: str) -> str:
    """Return the A-labels of a domain name; part of a name is returned as it is."""
    part = typed.strip().lower()
    try:
        return normal_domain(part)
    except BadAddress:
        return part


def spellings(typed: str) -> list[str]:
    """Return the spellings to search for: the text, and a second one if its domain is written in another script."""
    part = typed.lower()
    if part.isascii():
        return [part]
    local_part, at, domain = part.rpartition("@")
    stored = f"{local_part}{at}{domain_name(domain)}"
    return [part] if stored == part else [part, stored]
