"""The start page of a mailbox owner."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.views.generic import TemplateView

from mailstore.directory import policies
from mailstore.messages import mailbox_usage
from mailstore.models import RetentionPolicy
from popadmin.owner import access
from popadmin.owner.mail_program import mail_program
from popadmin.web import device_mode
from popadmin.web.people import signed_in

SHOWN_DEVICES = 4  # all of them have their own page


class Usage(TemplateView):
    template_name = "owner/usage.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        devices = [(device, device_mode.of(device)) for device in access.devices(user)]
        mailbox = get_object_or_404(access.mailboxes(user))
        return super().get_context_data(
            **kwargs,
            mailbox=mailbox,
            split=mailbox_usage.split(mailbox.pk),
            devices=devices[:SHOWN_DEVICES],
            more=len(devices[SHOWN_DEVICES:]),
            program=mail_program(),
            policy=policies.in_force(mailbox)[0] or RetentionPolicy(),  # nobody has chosen: the default policy
            findings=access.findings(user),
        )
