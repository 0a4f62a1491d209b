"""The tables of the mail as Django models: one file for each subject."""

from mailstore.models.audit import AuditEntry
from mailstore.models.bodies import Body, BodyCheck, StoreTie
from mailstore.models.diary import DiaryBatch, DiarySession, Finding
from mailstore.models.domains import Alias, Domain, RetentionPolicy
from mailstore.models.jobs import Job, JobRow
from mailstore.models.mailbox_imports import Roster, RosterRow
from mailstore.models.mailboxes import Device, EveryDeviceHas, Mailbox
from mailstore.models.messages import EarlierStay, ImportedSource, Message
from mailstore.models.overview import Heartbeat, KeptHoldings, SweepPass, Tally, TallyMark
from mailstore.models.users import DomainGrant, KnownNetwork, MailedCode, User, WebSession

__all__ = [
    "Alias",
    "AuditEntry",
    "Body",
    "BodyCheck",
    "Device",
    "DiaryBatch",
    "DiarySession",
    "Domain",
    "DomainGrant",
    "EarlierStay",
    "EveryDeviceHas",
    "Finding",
    "Heartbeat",
    "ImportedSource",
    "Job",
    "JobRow",
    "KeptHoldings",
    "KnownNetwork",
    "Mailbox",
    "MailedCode",
    "Message",
    "RetentionPolicy",
    "Roster",
    "RosterRow",
    "StoreTie",
    "SweepPass",
    "Tally",
    "TallyMark",
    "User",
    "WebSession",
]
