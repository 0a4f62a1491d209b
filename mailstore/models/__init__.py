"""Rows; one file a subject."""

from mailstore.models.audit import AuditEntry
from mailstore.models.codes import MailedCode
from mailstore.models.diary import DiaryBatch, DiarySession
from mailstore.models.domains import Alias, Domain, RetentionPolicy
from mailstore.models.findings import Finding
from mailstore.models.grants import DomainGrant
from mailstore.models.jobs import Job, JobRow
from mailstore.models.known_networks import KnownNetwork
from mailstore.models.mailboxes import Device, EveryDeviceHas, Mailbox
from mailstore.models.messages import Body, EarlierStay, ImportedSource, Message
from mailstore.models.passes import SweepPass
from mailstore.models.rosters import Roster, RosterRow
from mailstore.models.sessions import WebSession
from mailstore.models.stores import BodyCheck, StoreTie
from mailstore.models.tallies import Heartbeat, KeptHoldings, Tally, TallyMark
from mailstore.models.users import User

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
