"""The address of the public page that says how to set up a mail program, for files and records."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse


def setup_url() -> str:
    """Return the address by PUBLIC_URL, never by the Host of a request: the digest of a file depends on it."""
    return f"{settings.PUBLIC_URL}{reverse('setup')}"
