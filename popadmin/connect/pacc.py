"""PACC, the configuration as JSON with a digest in DNS: draft-ietf-mailmaint-pacc, "v=UAAC1".

It names no ports: a program takes the default ports of implicit TLS. So it is offered only where POP3S is on 995.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from django.conf import settings

from popadmin.web.server_settings import IMPLICIT_TLS, Port, ServerSettings

POP3S, SUBMISSIONS = Port(995, IMPLICIT_TLS), Port(465, IMPLICIT_TLS)
NAME_CHARACTERS, SHORT_NAME_CHARACTERS = 60, 20  # the longest that the draft allows


def document(site: ServerSettings, *, setup_url: str) -> bytes | None:
    """Return the file; None where POP3 has another port. Equal settings give equal octets: the digest is in DNS."""
    if POP3S not in site.ports:
        return None
    protocols = {"pop3": {"host": site.host}}
    if SUBMISSIONS in site.smtp_ports:
        protocols["smtp"] = {"host": site.smtp_host}
    name = settings.PROVIDER_NAME
    provider = {"name": name[:NAME_CHARACTERS], "shortName": name[:SHORT_NAME_CHARACTERS]}
    content: dict[str, Any] = {
        "protocols": protocols,
        "authentication": {"password": True},
        "info": {"provider": provider, "help": {"documentation": setup_url}},
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def digest_record(data: bytes) -> str:
    """Return the text of the record `_ua-auto-config`: a program that finds another digest there uses nothing."""
    return f"v=UAAC1; a=sha256; d={base64.b64encode(hashlib.sha256(data).digest()).decode()}"
