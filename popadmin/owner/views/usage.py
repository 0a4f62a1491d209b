"""The first page of a mailbox owner."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.views.generic import TemplateView

from popadmin.owner import access
from popadmin.owner.mail_program import mail_program
from popadmin.signin.access import signed_in


class Usage(TemplateView):
    template_name = "owner/usage.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        devices = list(access.devices(user))
        seen = [device.last_sign_in_at for device in devices if device.last_sign_in_at]
        return super().get_context_data(
            **kwargs,
            mailbox=get_object_or_404(access.mailboxes(user)),
            devices=devices,
            last_sign_in_at=max(seen, default=None),
            program=mail_program(),
        )
