"""The tables of the mail as Django models: one file for each subject."""

from mailstore.models.aliases import Alias
from mailstore.models.audit import AuditEntry
from mailstore.models.bodies import Body, BodyCheck, StoreTie
from mailstore.models.diary import DiaryBatch, DiarySession, Finding, RefusedName, SharedFailure
from mailstore.models.domains import DnsLookup, Domain
from mailstore.models.jobs import Job, JobRow
from mailstore.models.mailbox_imports import MailboxImport, MailboxImportRow
from mailstore.models.mailbox_moves import MailboxMove
from mailstore.models.mailboxes import Device, DeviceCoverage, Mailbox, ProfileLink
from mailstore.models.messages import EarlierStay, ImportedSource, Message
from mailstore.models.policies import RetentionPolicy
from mailstore.models.sending import SendingBudget
from mailstore.models.site_state import (
    Heartbeat,
    HoldingsCache,
    ListenerCertificates,
    MailFlow,
    RenameCount,
    SweepPass,
    Tally,
    TallyMark,
)
from mailstore.models.trace import MtaLogPosition, TraceEntry
from mailstore.models.users import DomainGrant, KnownNetwork, MailedCode, User, WebSession

__all__ = [
    "Alias",
    "AuditEntry",
    "Body",
    "BodyCheck",
    "Device",
    "DeviceCoverage",
    "DiaryBatch",
    "DiarySession",
    "DnsLookup",
    "Domain",
    "DomainGrant",
    "EarlierStay",
    "Finding",
    "Heartbeat",
    "HoldingsCache",
    "ImportedSource",
    "Job",
    "JobRow",
    "KnownNetwork",
    "ListenerCertificates",
    "MailFlow",
    "Mailbox",
    "MailboxImport",
    "MailboxImportRow",
    "MailboxMove",
    "MailedCode",
    "Message",
    "MtaLogPosition",
    "ProfileLink",
    "RefusedName",
    "RenameCount",
    "RetentionPolicy",
    "SendingBudget",
    "SharedFailure",
    "StoreTie",
    "SweepPass",
    "Tally",
    "TallyMark",
    "TraceEntry",
    "User",
    "WebSession",
]
