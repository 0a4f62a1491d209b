"""Verbs of the audit that name what the entry is about, in a sentence that ends with its subject."""

from __future__ import annotations

import pytest

from mailstore.models import AuditEntry
from popadmin.web import audit_text


@pytest.mark.parametrize(
    ("verb", "facts", "text"),
    [
        ("device.add", {"device": "iPad"}, "connected the device “iPad” of"),
        ("device.revoke", {"device": "iPad"}, "revoked the device “iPad” of"),
        ("device.profile", {"device": "iPad"}, "fetched the profile for the device “iPad” of"),
        ("device.add", {}, "connected a device of"),
        ("grant.create", {"domain": "one.example"}, "gave the administration of one.example to"),
        ("grant.remove", {"domain": "one.example"}, "took the administration of one.example from"),
    ],
)
def test_a_verb_names_the_device_or_the_domain_and_the_details_do_not_repeat_it(
    verb: str, facts: dict[str, str], text: str
) -> None:
    entry = AuditEntry(verb=verb, details=facts)
    assert audit_text.verb(entry) == text
    assert list(audit_text.details(entry)) == []


def test_an_alias_of_a_mailboxs_own_address_is_a_forward() -> None:
    assert audit_text.verb(AuditEntry(verb="alias.create", mailbox_id=7)) == "created a forward for"
    assert audit_text.verb(AuditEntry(verb="alias.create")) == "created the alias"
