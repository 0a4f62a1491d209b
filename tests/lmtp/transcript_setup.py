"""The fixed state of the LMTP transcripts: who has a mailbox at foo.edu, and how a delivery to each of them ends."""

from __future__ import annotations

from dataclasses import replace

from mailstore.errors import QuotaDeferred
from tests.fakes.lmtp import RULES, Conversation, FakeDelivery

TINY_OCTETS = 60  # on the stage `tiny`


def conversation(stage: frozenset[str] = frozenset()) -> Conversation:
    delivery = FakeDelivery()
    delivery.add("pat@foo.edu", "green@foo.edu", "brown@foo.edu", "jürgen@foo.edu")
    delivery.outcomes["pat@foo.edu"] = QuotaDeferred("full")
    rules = replace(RULES, max_message_octets=TINY_OCTETS) if "tiny" in stage else RULES
    return Conversation(delivery=delivery, rules=rules)
