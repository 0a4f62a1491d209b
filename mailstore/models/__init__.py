"""Rows; one file a subject."""

from mailstore.models.audit import AuditEntry
from mailstore.models.body_stores import BodyCheck, StoreTie
from mailstore.models.diary import DiaryBatch, DiarySession
from mailstore.models.domains import Alias, Domain, RetentionPolicy
from mailstore.models.findings import Finding
from mailstore.models.grants import DomainGrant
from mailstore.models.jobs import Job, JobRow
from mailstore.models.known_networks import KnownNetwork
from mailstore.models.mailbox_imports import Roster, RosterRow
from mailstore.models.mailboxes import Device, EveryDeviceHas, Mailbox
from mailstore.models.mailed_codes import MailedCode
from mailstore.models.messages import Body, EarlierStay, ImportedSource, Message
from mailstore.models.sweep_passes import SweepPass
from mailstore.models.tallies import Heartbeat, KeptHoldings, Tally, TallyMark
from mailstore.models.users import User
from mailstore.models.web_sessions import WebSession

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
