"""A form that shows what it would do before it is saved: for the policies themselves, and for who uses which."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.generic import FormView

from mailstore.directory.outcome import Rejected
from mailstore.policy.retention import Forecast
from popadmin.panel.forms.policies import PreviewForm
from popadmin.web import form_rejection

PART = "partials/forecast.html"


class PreviewPage(FormView[PreviewForm]):
    """A form that shows its effects before it is saved; it saves only what it has shown.

    A script asks for the preview alone, as `part`, while the user changes the form. Subclasses define how to save
    (`save`), whom it affects (`make_forecast`), and where to go next (`done`).
    """

    request: HttpRequest

    def make_forecast(self, form: Any) -> Forecast:
        raise NotImplementedError

    def save(self, form: Any) -> Any:
        raise NotImplementedError

    def done(self, saved: Any) -> HttpResponse:
        raise NotImplementedError

    def get_template_names(self) -> list[str]:
        return [PART] if "part" in self.request.POST else super().get_template_names()

    def form_valid(self, form: PreviewForm) -> HttpResponse:
        try:
            if "save" in self.request.POST:
                if form.was_previewed:
                    return self.done(self.save(form))
                form.add_error(None, _("Something has changed since the preview: check it again, then save."))
            forecast = self.make_forecast(form)
        except Rejected as refusal:
            form_rejection.add_error(form, refusal)
            return self.form_invalid(form)
        form.data = {name: form.data[name] for name in form.data} | {"previewed": form.mark}
        return self.render_to_response(self.get_context_data(form=form, forecast=forecast))
