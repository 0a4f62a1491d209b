"""Every page with its URL, who may see it, and a site on which each page shows something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.contrib.auth.tokens import default_token_generator
from django.test import RequestFactory
from django.urls import get_resolver, reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from mailstore.directory import (
    aliases,
    domain_removal,
    domains,
    grants,
    mailbox_removal,
    policies,
    profile_links,
    target_confirmation,
)
from mailstore.models import (
    Device,
    Domain,
    Finding,
    Mailbox,
    MailboxImport,
    Message,
    RefusedName,
    RetentionPolicy,
    User,
)
from mailstore.mta import last_check
from mailstore.mta.checks.result import Result, State
from mailstore.transfer import mailbox_import
from popadmin.owner import forward_letter
from popadmin.panel.bulk_actions import ACTIONS
from popadmin.web import invitation_link
from tests.owner.mail import a_device, a_letter, a_session
from tests.site.page_users import ANN, an_admin, an_owner
from tests.site.rows import ACTOR, PASSWORD, a_domain
from tests.site.traces import an_answer

HOST, CUSTOMER, OWNER, STRANGER = "root", "carla", ANN, ""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


OF_ALL = frozenset({"settings", "settings-password", "settings-recovery-address", "settings-recovery-code"})
OF_HOSTS = _names(
    "admins admins-new admins-one admins-password admins-removal domains-new domains-removed domains-admin-new "
    "domains-removal domains-rename domains-purge mailboxes-hashes mail-flow overview-parts policies-new policies-edit "
    "policies-removal"
)
OF_ADMINS = _names(
    "overview trace search visits audit domains domains-one domains-edit domains-catch-all aliases aliases-new "
    "aliases-one operations visits-names domains-addresses domains-admins domains-dns domains-settings "
    "mailboxes mailboxes-bulk mailboxes-removed mailboxes-new mailboxes-one mailboxes-diary "
    "mailboxes-devices mailboxes-removal mailboxes-recovery mailboxes-edit mailboxes-password mailboxes-purge "
    "mailboxes-rename mailboxes-imports mailboxes-import mailboxes-stopped mailboxes-moves "
    "mailboxes-import-columns policies policies-choice policies-one"
)
OF_OWNERS = _names(
    "mailbox mailbox-stopped mailbox-trace devices devices-connect devices-one devices-revoke settings-forwarding "
    "settings-history messages messages-one messages-purge diary recovery recovery-restore recovery-purge"
)
OF_STRANGERS = _names(
    "sign-in password-forgotten password-mailed password-reset invitation setup setup-device setup-profile "
    "forward-consent"
)
PAGES = {
    HOST: OF_ALL | OF_ADMINS | OF_HOSTS,
    CUSTOMER: OF_ALL | OF_ADMINS,
    OWNER: OF_ALL | OF_OWNERS,
    STRANGER: OF_STRANGERS,
}
# Reached by a button alone, a file, a part of a page, or what leads on to another page.
NO_PAGES = _names(
    "aliases-removal aliases-restoral aliases-acceptance settings-forwarding-letters trace-alias "
    "home sign-out language theme settings-sessions admins-withdrawal admins-suspension domains-suspension "
    "domains-admin-end domains-restoral mailboxes-suspension mailboxes-restoral mailboxes-results "
    "mailboxes-results-step mailboxes-results-undo mailboxes-removal-undo mailboxes-change-undo mailboxes-invitation "
    "domains-rename-undo mailboxes-letter messages-remove messages-undo recovery-undo policies-undo "
    "mailboxes-import-start mailboxes-import-step mailboxes-import-passwords mailboxes-import-undo "
    "mailboxes-import-undo-step devices-name setup-profile-file domains-dns-found domains-dns-again "
    "devices-mode devices-status messages-file mailboxes-moves-again mailboxes-moves-end "
    "mailboxes-moves-restoral admins-grant-restoral"
)


Keys = dict[str, list[int | str | tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class ListedPage:
    name: str
    path: str


def names() -> set[str]:
    """Of every address that there is."""
    return {name for name in get_resolver().reverse_dict if isinstance(name, str)}


def a_site() -> Keys:
    """Some of everything that pages show; returns the keys for the addresses that take one."""
    root = an_admin()
    a_domain("bücher.example", quota_octets=2**30)
    long = domains.get(a_domain("clinique-des-trois-rivières.example"))
    other = domains.ensure("clinique-de-la-vallée-des-trois-rivières.example", actor=ACTOR, stands_for=long).row
    a_domain("gone.example")
    domain_removal.remove("gone.example", actor=ACTOR, with_mailboxes=True)
    policy = policies.ensure("Thirty days", actor=ACTOR, expire_days=30, offered=True).row
    ann = an_owner(quota_octets=100_000, name="Ann Smith", policy=policy, notes="pays late")
    an_owner("off@example.org", suspended=True, held=True)
    an_owner("a-rather-long-name-for-an-address@a-rather-long-domain-for-a-phone.example.org", quota_octets=2**30)
    gone = an_owner("gone@example.org")
    mailbox_removal.remove("gone@example.org", actor=ACTOR, with_mail=True)
    Domain.objects.filter(name="example.org").update(owner_forwards=True)
    grants.ensure(CUSTOMER, ["example.org", long.name, other.name], actor=ACTOR, password=PASSWORD)
    alias = aliases.ensure("info@example.org", [ANN, "away@elsewhere.example"], actor=ACTOR).row
    target_confirmation.hold(alias, ["away@elsewhere.example"])
    live, resting = _mail(ann)
    stopped = _stopped_program(ann, live)
    last_check.note_check([
        Result("delimiter", State.GOOD, "recipient_delimiter = +"),
        Result("lmtp-address", State.BAD, "0.0.0.0:1024", "lmtp-public", {"address": "0.0.0.0:1024"}),
        Result("policy-full", State.SKIPPED, "", "no-policy"),
    ])  # fmt: skip
    upload = _upload(root), _upload(User.objects.get(address=CUSTOMER))
    removed = Domain.objects.get(name="gone.example")
    carla = User.objects.get(address=CUSTOMER)
    return {
        "admins": [carla.pk],
        "aliases": [alias.pk],
        "devices": [Device.objects.get(name__startswith="A phone").pk, Device.objects.get(mailbox=ann, main=True).pk],
        "domains": [ann.domain_id],
        "domains-purge": [removed.pk],
        "forward-consent": [forward_letter.token(alias, "away@elsewhere.example")],
        "mailbox-stopped": [stopped],
        "mailboxes": [ann.pk],
        "mailboxes-bulk": list(ACTIONS),
        "mailboxes-import": [row.pk for row in upload],
        "mailboxes-import-columns": [row.pk for row in upload],
        "mailboxes-purge": [gone.pk],
        "mailboxes-stopped": [(ann.pk, stopped)],
        "messages": [live, resting],
        "messages-purge": [resting],
        "policies": [policy.pk],
        "trace": _answers(ann, live),
    }


def pages_of(person: str, keys: Keys) -> list[ListedPage]:
    """The pages that this person reaches, each by its address."""
    return [ListedPage(name, path) for name in sorted(PAGES[person]) for path in _paths(name, person, keys)]


def _paths(name: str, person: str, keys: Keys) -> list[str]:
    if name == "password-reset":
        user = User.objects.get(address=ANN)
        uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
        return [reverse(name, args=[uid, token])]
    if name == "invitation":
        request = RequestFactory().get("/", SERVER_NAME="localhost")
        return [urlsplit(invitation_link.url(request, User.objects.get(address=ANN))).path]
    if name == "setup-profile":
        return [reverse(name, args=[profile_links.make(Device.objects.get(name__startswith="A phone"), "s" * 32)])]
    if name == "mailboxes":
        return [reverse(name), f"{reverse(name)}?q=nobody", f"{reverse(name)}?state=purple"]
    if name in ("trace", "mailbox-trace"):
        return [reverse(name), *(f"{reverse(name)}?id={key}" for key in keys["trace"])]
    (possible,) = get_resolver().reverse_dict.getlist(name)[:1]
    if not possible[0][0][1]:
        return [reverse(name)]
    found = keys.get(name) or keys[name.partition("-")[0]]
    if name.startswith("mailboxes-import"):
        found = found[:1] if person == HOST else found[1:]  # everybody has files of his own
    return [reverse(name, args=key if isinstance(key, tuple) else [key]) for key in found]


def _mail(ann: Mailbox) -> tuple[int, int]:
    """Live and resting mail of hers, devices, a diary with all kinds of lines, a finding; a message of either kind."""
    Device.objects.filter(mailbox=ann).update(last_sign_in_at=timezone.now())
    phone = a_device(
        ann, "A phone with a rather long name for what it is", last_sign_in_at=timezone.now(), last_client="192.0.2.7"
    )
    live = a_letter(ann, "A subject that is rather longer than a line of a small phone can hold, and then some more")
    resting = a_letter(ann, "Ticket to Lyon", removed_at=timezone.now() - timedelta(hours=1))
    this = f"{{[{live.added},{live.added + 1})}}"
    a_session(phone, ago=timedelta(hours=2), fetched=this, fetched_messages=1, octets_out=2000, listed=2)
    a_session(None, mailbox=ann, ago=timedelta(hours=1), ended="wrong", tls="", sessions=3)
    a_session(phone, ago=timedelta(minutes=5), ended="lost")
    facts = {"sessions": 360}
    for reason, name in (("unknown", "anne@example.org"), ("unknown", ""), ("network", ""), ("account", ANN)):
        now = timezone.now()
        until = now + timedelta(minutes=30) if reason == "network" else None
        RefusedName.objects.create(
            reason=reason, name=name, network="198.51.100.0/24", protocol="pop3", tries=3, first_at=now, last_at=now,
            until=until,
        )  # fmt: skip
    Finding.objects.create(mailbox=ann, device=phone, kind="hasty", since=timezone.now(), facts=facts)
    return live.pk, resting.pk


def _answers(ann: Mailbox, live: int) -> list[int]:
    """What senders were told: a delivered message, and what did not come; those of a row that has more to say."""
    uidl = Message.objects.get(pk=live).uidl
    full = an_answer("deferred", "full", mailbox=ann, reply="452 4.2.2 the mailbox is full, try again later")
    an_answer("refused", "unknown", recipient="a-rather-long-name-that-nobody-has@example.org", domain=ann.domain)
    late = an_answer(
        mailbox=ann, queue_id=uidl, uidl=uidl, octets=4200, message_id="7f3a9c@notaires.example", mta_id="4XyzA1B2c3"
    )
    return [late.pk, full.pk]


def _stopped_program(ann: Mailbox, message: int) -> int:
    arrived_at = timezone.now() - timedelta(days=3)
    facts = {"message": message, "octets": 5120, "arrived_at": arrived_at.isoformat(), "sessions": 12}
    old = a_device(ann, "Old PC")
    return Finding.objects.create(
        mailbox=ann, device=old, kind="stopped", since=timezone.now(), facts={**facts, "line_octets": 5000}
    ).pk


def _upload(owner: User) -> MailboxImport:
    """A file that was checked, one of its rows wrong."""
    upload = mailbox_import.bring_in(b"address,name\nnew@example.org,New\nno address,x\n", "people.csv", owner=owner)
    mailbox_import.choose(upload, upload.meaning, "both")
    while mailbox_import.step(upload, actor=ACTOR, domains=None, policies=RetentionPolicy.objects.all()):
        pass
    return upload
