"""Undo the last change of a policy, until it may remove something. The session keeps the former rules."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import View

from mailstore.directory import policies
from mailstore.directory.outcome import Rejected
from mailstore.models import RetentionPolicy
from popadmin.panel import access
from popadmin.web import form_rejection, notices, request_lookup
from popadmin.web.people import signed_in

KEY = "policy_undo"  # in the session: the policy, when it was saved, its former state, until when it may be undone


def keep(
    request: HttpRequest, saved: RetentionPolicy, former: dict[str, Any], *, until: datetime.datetime, text: str
) -> None:
    """Tell that the policy is saved, and offer Undo until then."""
    request.session[KEY] = {
        "policy": saved.pk,
        "saved_at": saved.saved_at.isoformat(),
        "former": former,
        "until": until.isoformat(),
    }
    notices.undoable(request, text, reverse("policies-undo", args=[saved.pk]))


def former_state(request: HttpRequest, policy: RetentionPolicy) -> dict[str, Any] | None:
    """Return the state to put back; None where nothing can be undone: it has started, or somebody saved it again."""
    if until(request, policy) is None:
        return None
    former: dict[str, Any] = request.session[KEY]["former"]
    return former


def until(request: HttpRequest, policy: RetentionPolicy) -> datetime.datetime | None:
    """Return until when the last change of this session can be undone; None where it cannot be."""
    kept = request.session.get(KEY)
    if kept is None or kept["policy"] != policy.pk or kept["saved_at"] != policy.saved_at.isoformat():
        return None
    end = datetime.datetime.fromisoformat(kept["until"])
    return end if timezone.now() < end else None


class Undo(access.HostPage, View):
    """Undo by a POST."""

    of = RetentionPolicy

    def post(self, request: HttpRequest, key: int) -> HttpResponse:
        policy = request_lookup.find(request, access.policies(signed_in(request)), pk=key)
        former = former_state(request, policy)
        if former is None:
            messages.error(request, _("This change can no longer be undone: it has started, or was changed again."))
            return redirect("policies-one", key)
        try:
            done = policies.put_back(key, former, actor=request_lookup.actor(request), seen=policy.saved_at)
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect("policies-one", key)
        del request.session[KEY]
        messages.success(request, _("%(name)s is as it was before.") % {"name": done.row.name})
        return redirect("policies-one", key)
