"""Links that give a device's secret once more, within minutes of its making, to the profile that sets up the device."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from cryptography.fernet import Fernet
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from mailstore.directory import audit
from mailstore.directory.audit import Actor
from mailstore.models import Device, ProfileLink

VALID = timedelta(minutes=15)
_PADDING = "="  # of a key of Fernet in base64; a link does without


def make(device: Device, secret: str) -> str:
    """Return the token of a new link for a device that was just made. Earlier ones of this device end.

    The row has the secret encrypted with the token, and of the token only a digest.
    """
    key = Fernet.generate_key()
    token = key.decode().rstrip(_PADDING)
    values = {
        "digest": _digest(token),
        "sealed": Fernet(key).encrypt(secret.encode()),
        "ends_at": timezone.now() + VALID,
    }
    ProfileLink.objects.update_or_create(device=device, defaults=values)
    return token


def device_of(token: str) -> Device | None:
    """Return the device of a link that can still be used, without using it; None for any other text."""
    link = _valid(token).first()
    return None if link is None else link.device


def take(token: str, *, client: str | None) -> tuple[Device, str] | None:
    """Use the link: return its device with the secret, and end it. None if it was used, has ended, or never was.

    Of two requests at once, one gets the secret.
    """
    with transaction.atomic():
        link = _valid(token).select_for_update(of=("self",)).first()
        if link is None:
            return None
        device, mailbox = link.device, link.device.mailbox
        link.delete()
        actor = Actor(mailbox.user.address, "web", None, client)
        audit.record(actor, "device.profile", mailbox.user.address, mailbox=mailbox, device=device.name)
    secret = Fernet(token + _PADDING).decrypt(bytes(link.sealed)).decode()
    return device, secret


def _valid(token: str) -> QuerySet[ProfileLink]:
    """Return the link with this token, if its device can sign in."""
    rows = ProfileLink.objects.filter(digest=_digest(token), ends_at__gt=timezone.now(), device__revoked_at=None)
    can_sign_in = {
        "device__mailbox__removed_at": None,
        "device__mailbox__user__is_active": True,
        "device__mailbox__domain__active": True,
        "device__mailbox__domain__removed_at": None,
    }
    return rows.filter(**can_sign_in).select_related("device__mailbox__user")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
