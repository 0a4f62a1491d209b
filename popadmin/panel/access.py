"""What admins may see: sizes, counts and dates, never content. Domain admins see only their own domains."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, Func, Model, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from mailstore.models import (
    Alias,
    AuditEntry,
    Device,
    DiarySession,
    Domain,
    DomainGrant,
    Finding,
    Mailbox,
    MailboxImport,
    MailboxMove,
    Message,
    RefusedName,
    RetentionPolicy,
    Tally,
    TraceEntry,
    User,
)
from popadmin.web import request_lookup, row_key
from popadmin.web.people import is_admin, is_host, signed_in

NAMED_MOST = 3  # of the domains of an admin, in a list


class AdminPage:
    """A view for admins only; for everybody else the page does not exist. List it before the class of the view.

    An admin who acts on something that somebody has just removed learns who did it, and is sent to the removed rows.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_admin(signed_in(request)):
            raise Http404
        try:
            answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # the view's
        except request_lookup.Removed as found:
            return _to_removed(request, found.row)
        return answer


def _to_removed(request: HttpRequest, row: Mailbox | Domain) -> HttpResponseBase:
    left = row.domain if isinstance(row, Mailbox) and row.removed_with_domain else row
    text = _("%(name)s was removed by %(who)s.") % {"name": left, "who": left.removed_by}
    messages.warning(request, text)
    if isinstance(left, Mailbox):
        return redirect("mailboxes-removed")
    return redirect("domains-removed" if is_host(signed_in(request)) else "domains")


class PolicyPage(AdminPage):
    """An admin page whose form names a policy. A policy that the user may not choose is handled like a wrong URL."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_admin(signed_in(request)):
            request_lookup.find_all(request, policies(signed_in(request)), row_key.keys(request.POST.getlist("policy")))
        return super().dispatch(request, *args, **kwargs)


class HostPage(AdminPage):
    """A view for hosting admins only. If a domain admin tries the key of a row there, the audit records it."""

    of: type[Model]  # what a key in the address is

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = signed_in(request)
        if not is_host(user):
            if is_admin(user) and "key" in kwargs:
                request_lookup.deny(request, self.of._default_manager.filter(pk=kwargs["key"]))
            raise Http404
        return super().dispatch(request, *args, **kwargs)


def admins(user: User) -> QuerySet[User]:
    """Return hosting admins and domain admins; the latter with `granted` (number of domains) and first names."""
    if not is_host(user):
        return User.objects.none()
    held = DomainGrant.objects.filter(user=OuterRef("pk"), domain__removed_at=None).order_by("domain__name")
    count = held.order_by().values("user").annotate(n=Count("pk")).values("n")
    # A union, as each half has an index; an OR of the two would read every user.
    hosts = User.objects.filter(role=User.Role.ADMIN).values("pk")
    rows = User.objects.filter(pk__in=hosts.union(DomainGrant.objects.values("user")))
    names = ArraySubquery(held.values("domain__name")[:NAMED_MOST])
    return rows.annotate(granted=Coalesce(Subquery(count), 0), named=names).select_related("mailbox")


def domains(user: User) -> QuerySet[Domain]:
    rows = Domain.objects.filter(removed_at=None)
    return rows if is_host(user) else rows.filter(grants__user=user)


def domain_keys(user: User) -> list[int] | None:
    """Return the keys of the domains that the user may see; None for all."""
    return None if is_host(user) else list(domains(user).values_list("pk", flat=True))


def naming_other(rows: QuerySet[Domain], user: User) -> QuerySet[Domain]:
    """Annotate `other`: the domain of which each domain is an alias; None also if this user may not see it."""
    known = domains(user).filter(pk=OuterRef("stands_for")).values("name")[:1]
    return rows.annotate(other=F("stands_for__name") if is_host(user) else Subquery(known))


def removed_domains(user: User) -> QuerySet[Domain]:
    """Return the removed domains, to show them; only hosting admins act on them."""
    rows = Domain.objects.filter(removed_at__isnull=False)
    return rows if is_host(user) else rows.filter(grants__user=user)


def mailboxes(user: User, *, removed: bool = False) -> QuerySet[Mailbox]:
    """Return the existing mailboxes; with `removed`, also the removed ones in existing domains."""
    rows = Mailbox.objects.select_related("user", "domain")
    if not removed:
        rows = rows.filter(removed_at=None)
    return rows if is_host(user) else rows.filter(domain__in=domains(user))


def moves(user: User) -> QuerySet[MailboxMove]:
    """Return the moves of the existing mailboxes from their old servers."""
    rows = MailboxMove.objects.filter(mailbox__removed_at=None).select_related("mailbox__user", "mailbox__domain")
    return rows if is_host(user) else rows.filter(mailbox__domain__in=domains(user))


def with_history(rows: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
    """Annotate `made_by`, and of the last suspension of the mailbox `suspended_by` and `suspended_at`."""
    entries = AuditEntry.objects.filter(mailbox=OuterRef("pk"), domain=OuterRef("domain"))
    made = entries.filter(verb="mailbox.create").order_by("at")
    suspended = entries.filter(verb="mailbox.change", details__changes__suspended__1=True).order_by("-at")
    return rows.annotate(
        made_by=Subquery(made.values("actor_name")[:1]),
        suspended_by=Subquery(suspended.values("actor_name")[:1]),
        suspended_at=Subquery(suspended.values("at")[:1]),
    )


def removed_mailboxes(user: User) -> QuerySet[Mailbox]:
    """Return the removed mailboxes, to show them, including those in removed domains."""
    rows = Mailbox.objects.select_related("user", "domain").filter(removed_at__isnull=False)
    return rows if is_host(user) else rows.filter(domain__grants__user=user)


def devices(mailbox: Mailbox) -> QuerySet[Device]:
    """Return the devices of a checked mailbox that can still sign in, the main password first."""
    rows = Device.objects.filter(mailbox=mailbox, revoked_at=None).defer("hidden", "skipped", "confirmed")
    return rows.order_by("-main", F("last_sign_in_at").desc(nulls_last=True), "name")


def findings(mailbox: Mailbox) -> QuerySet[Finding]:
    """Return the findings of a mailbox that was already checked for this user."""
    rows = Finding.objects.filter(mailbox=mailbox).select_related("device").order_by("-since", "pk")
    return rows.defer(*(f"device__{view}" for view in ("hidden", "skipped", "confirmed")))


def diary(mailbox: Mailbox) -> QuerySet[DiarySession]:
    """Return the diary of a mailbox that was already checked for this user."""
    return DiarySession.objects.filter(mailbox=mailbox)


def changes(mailbox: Mailbox, user: User) -> QuerySet[AuditEntry]:
    """Return the audit of a mailbox that was already checked for this user.

    What happened to it in another domain, where it was before, belongs to the admins there.
    """
    rows = AuditEntry.objects.filter(mailbox=mailbox)
    return rows if is_host(user) else rows.filter(domain=mailbox.domain_id)


def messages_in_recovery(mailbox: Mailbox) -> QuerySet[Message]:
    """Return the messages in recovery of a checked mailbox, to count them by date and size."""
    return Message.objects.filter(mailbox=mailbox, removed__isnull=False).only("removed_at", "removed_why", "octets")


def aliases(user: User) -> QuerySet[Alias]:
    """Return the aliases without the forwards of removed mailboxes, which come back with them (few, by an index)."""
    removed = Mailbox.objects.filter(pk=OuterRef("mailbox"), removed_at__isnull=False)
    rows = Alias.objects.filter(~Exists(removed), domain__removed_at=None).select_related("domain")
    return rows if is_host(user) else rows.filter(domain__in=domains(user))


def policies(user: User) -> QuerySet[RetentionPolicy]:
    """Return the policies. A domain admin sees the offered ones, those used in their domains, and the site policy."""
    rows = RetentionPolicy.objects.all()
    if is_host(user):
        return rows
    own = domains(user)
    return rows.filter(
        Q(site=True)
        | Q(offered=True)
        | Q(pk__in=own.filter(policy__isnull=False).values("policy"))
        | Q(pk__in=Mailbox.objects.filter(domain__in=own, policy__isnull=False).values("policy"))
    )


def audit_entries(user: User) -> QuerySet[AuditEntry]:
    """Return the audit entries. A domain admin sees those of their domains and their own, except the denied ones."""
    rows = AuditEntry.objects.all()
    if is_host(user):
        return rows
    # By their keys, so that each half has its index; as a subquery the planner would walk all entries.
    own = list(domains(user).values_list("pk", flat=True))
    return rows.filter(Q(domain__in=own) | (Q(actor=user) & ~Q(verb="denied")))


def tallies(user: User) -> QuerySet[Tally]:
    rows = Tally.objects.filter(domain__removed_at=None)
    return rows if is_host(user) else rows.filter(domain__in=domains(user))


def diary_sessions(user: User) -> QuerySet[DiarySession]:
    """Return sessions and refused sign-ins of the mailboxes: when, from where, how they ended; not what was fetched."""
    rows = DiarySession.objects.filter(mailbox__removed_at=None).select_related("mailbox__user", "device")
    rows = rows.defer("fetched", "deleted", "device__hidden", "device__skipped", "device__confirmed")
    return rows if is_host(user) else rows.filter(mailbox__domain__in=domains(user))


def trace(user: User) -> QuerySet[TraceEntry]:
    """Return what senders were answered: one row a recipient; for a domain admin, those of their own domains."""
    rows = TraceEntry.objects.all()
    if is_host(user):
        return rows.filter(copy=False)
    # By their keys, so that an index serves the order too.
    return rows.filter(domain__in=list(domains(user).values_list("pk", flat=True)))


def trace_of_mailbox(mailbox: Mailbox) -> QuerySet[TraceEntry]:
    """Return the rows that concern a mailbox that was already checked for this user."""
    return TraceEntry.objects.filter(mailbox=mailbox)


def readable_trace(user: User) -> QuerySet[TraceEntry]:
    """Return all rows that this user may open, also those that only an owner's list has."""
    rows = TraceEntry.objects.all()
    if is_host(user):
        return rows
    return rows.filter(Q(domain__in=domains(user)) | Q(mailbox__in=mailboxes(user)))


def refused_names(user: User) -> QuerySet[RefusedName]:
    """Return names that nobody has, and limits that were met.

    A domain admin sees the names in their own domains, and in those that stand for one of them: a former name is such.
    """
    rows = RefusedName.objects.all()
    if is_host(user):
        return rows
    own = list(domains(user).values_list("pk", flat=True))
    names = Domain.objects.filter(Q(pk__in=own) | Q(stands_for__in=own, removed_at=None)).values("name")
    domain = Func("name", Value("@"), Value(2), function="split_part", output_field=TextField())
    return rows.alias(in_domain=domain).filter(in_domain__in=names)


def mailbox_imports(user: User) -> QuerySet[MailboxImport]:
    """Return the user's own import files; nobody else needs their content."""
    return MailboxImport.objects.filter(owner=user) if is_admin(user) else MailboxImport.objects.none()
