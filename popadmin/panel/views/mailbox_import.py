"""Import a file of mailboxes, aliases or domains: upload, choose columns, check the rows, import, passwords."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, View

from mailstore.directory.fields.domain import DOMAIN
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Rejected
from mailstore.models import MailboxImport, MailboxImportRow
from mailstore.transfer import (
    csv_table,
    file_columns,
    file_preset,
    mailbox_import,
    mailbox_import_undo,
    password_handout,
)
from mailstore.transfer.mailbox_columns import PASSWORD, SECRETS
from popadmin.lists.columns import Column, Exported, ResultFilters, Rows
from popadmin.lists.step_view import Progress, StepView
from popadmin.lists.views import ListPage
from popadmin.panel import access
from popadmin.panel.forms.mailbox_import import ColumnsForm, UploadForm
from popadmin.panel.row_page import MAILBOXES
from popadmin.templatetags import imports
from popadmin.web import form_rejection, people, request_lookup
from popadmin.web.layout import breadcrumb
from popadmin.web.people import signed_in

RECENT = 10
SAMPLE_ROWS = 3
HIDDEN = "••••"  # for passwords, and for what may be one: columns of which nobody has said yet what they hold
UNDOING = "mailbox_import_undo"  # in the session: the import that its owner undoes
BUTTONS: dict[str, Callable[[MailboxImport, str], None]] = {
    "first": lambda upload, _value: mailbox_import.turn_first_line(upload),
    "kind": mailbox_import.use_kind,
    "preset": mailbox_import.use_preset,
}
RUNNING = (MailboxImport.Stage.CHECKING, MailboxImport.Stage.RUNNING)


class MailboxImportView(access.AdminPage, View):
    """A view of one import, visible only to its owner."""

    @cached_property
    def upload(self) -> MailboxImport:
        return request_lookup.find(self.request, access.mailbox_imports(signed_in(self.request)), pk=self.kwargs["pk"])

    @property
    def domains(self) -> Collection[str] | None:
        """Return the domains that the rows may name; None for all."""
        user = signed_in(self.request)
        return None if people.is_host(user) else set(access.domains(user).values_list("name", flat=True))


class Upload(access.AdminPage, FormView[UploadForm]):
    template_name = "panel/mailbox_imports.html"
    form_class = UploadForm

    def form_valid(self, form: UploadForm) -> HttpResponse:
        file = form.cleaned_data["file"]
        try:
            upload = mailbox_import.bring_in(file.read(), file.name, owner=signed_in(self.request))
        except Rejected as refusal:
            form_rejection.add_error(form, refusal, otherwise="file")
            return self.form_invalid(form)
        return redirect("mailboxes-import-columns", upload.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        recent = access.mailbox_imports(signed_in(self.request)).order_by("-created_at")[:RECENT]
        return super().get_context_data(**kwargs, recent=recent, breadcrumbs=[MAILBOXES])


class ChooseColumns(MailboxImportView, FormView[ColumnsForm]):
    template_name = "panel/mailbox_import_columns.html"
    form_class = ColumnsForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "upload": self.upload}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Handle the form; separate buttons say what the rows are, whose columns they are, and turn the first line."""
        button = next((name for name in BUTTONS if name in request.POST), None)
        if button is None:
            return super().post(request, *args, **kwargs)
        try:
            BUTTONS[button](self.upload, request.POST[button])
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        return redirect("mailboxes-import-columns", self.upload.pk)

    def form_valid(self, form: ColumnsForm) -> HttpResponse:
        try:
            mailbox_import.choose(
                self.upload,
                form.meaning,
                form.cleaned_data["mode"],
                reading=form.reading,
                existing_passwords=form.cleaned_data["existing_passwords"],
            )
        except Rejected as refusal:
            form_rejection.add_error(form, refusal)
            return self.form_invalid(form)
        return redirect("mailboxes-import", self.upload.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        named = any(self.upload.header)
        context = super().get_context_data(**kwargs, upload=self.upload, named=named, breadcrumbs=_breadcrumbs())
        sample = MailboxImportRow.objects.filter(mailbox_import=self.upload).order_by("line")[:SAMPLE_ROWS]
        columns = [field for field in context["form"] if field.name.startswith("column")]
        fields = file_columns.columns(self.upload.kind)
        sizes = MAILBOX.names(Kind.SIZE) + DOMAIN.names(Kind.SIZE)
        cells = zip(*(row.cells for row in sample), strict=True)
        columns_with_cells = zip(columns, self.upload.meaning, cells, strict=True)
        return {
            **context,
            "kinds": MailboxImport.Kind.choices,
            "has_sizes": any(name in fields for name in sizes),
            "has_passwords": PASSWORD in fields,
            "presets": [(name, preset.name) for name, preset in file_preset.PRESETS.items()],
            "columns": [
                (column, [HIDDEN] if not column.value() or {meaning, column.value()} & set(SECRETS) else cells)
                for column, meaning, cells in columns_with_cells
            ],
        }


class ImportResultFilters(ResultFilters):
    results = MailboxImportRow.Fate.choices[1:]


class MailboxImportPage(MailboxImportView, ListPage):
    template_name = "panel/mailbox_import.html"
    name = "mailboxes-import"
    filters = ImportResultFilters
    columns = (
        Column("line", _("Line"), F("line"), css="n c-more"),
        Column("address", _("Address"), F("address")),
        Column("kind", _("Kind"), F("kind"), css="c-more c-less"),
        Column("fate", _("Result"), F("fate")),
        Column("detail", _("Changes")),
    )
    exported = (
        Exported(_("Line"), lambda row: row.line),
        Exported(_("Address"), lambda row: row.address),
        Exported(_("Kind"), lambda row: row.get_kind_display()),
        Exported(_("Result"), lambda row: row.get_fate_display()),
        Exported(_("Column"), lambda row: row.column),
        Exported(_("Changes"), imports.sentence),
    )

    def rows(self) -> Rows:
        return MailboxImportRow.objects.filter(mailbox_import=self.upload)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.upload.stage == MailboxImport.Stage.COLUMNS:
            return redirect("mailboxes-import-columns", self.upload.pk)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        undo = undo_progress(self.request, self.upload)
        return super().get_context_data(
            **kwargs,
            upload=self.upload,
            counts=mailbox_import.counts(self.upload),
            progress=undo if undo.running else progress(self.upload),
            undo=undo,
            breadcrumbs=_breadcrumbs(),
        )


class Start(MailboxImportView):
    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        try:
            mailbox_import.start(self.upload)
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
        return redirect("mailboxes-import", self.upload.pk)


class Step(MailboxImportView, StepView):
    def take(self) -> None:
        policies = access.policies(signed_in(self.request))
        mailbox_import.step(
            self.upload, actor=request_lookup.actor(self.request), domains=self.domains, policies=policies
        )
        self.upload.refresh_from_db(fields=["stage"])

    def progress(self) -> Progress:
        return progress(self.upload)

    def page(self) -> str:
        return reverse("mailboxes-import", args=[self.upload.pk])


class Undo(MailboxImportView):
    """Begin to undo the import; the page of the import then takes the steps."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        request.session[UNDOING] = self.upload.pk
        return redirect("mailboxes-import", self.upload.pk)


class UndoStep(MailboxImportView, StepView):
    def take(self) -> None:
        with contextlib.suppress(Rejected):  # it has not ended: the page says so
            mailbox_import_undo.step(self.upload, actor=request_lookup.actor(self.request), domains=self.domains)

    def progress(self) -> Progress:
        return undo_progress(self.request, self.upload)

    def page(self) -> str:
        return reverse("mailboxes-import", args=[self.upload.pk])


class Passwords(MailboxImportView):
    """Download the generated passwords as a file. They are created here and stored nowhere."""

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        given = password_handout.hand_out(self.upload, actor=request_lookup.actor(request), domains=self.domains)
        if not given:
            messages.info(request, _("All passwords have already been downloaded."))
            return redirect("mailboxes-import", self.upload.pk)
        file = b"".join(csv_table.write([str(_("Address")), str(_("Password"))], given))
        response = HttpResponse(file, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="passwords.csv"'
        return response


def progress(upload: MailboxImport) -> Progress:
    """Return the progress of the current stage."""
    counts = mailbox_import.counts(upload)
    checking = upload.stage == MailboxImport.Stage.CHECKING
    total = counts["rows"] if checking else counts["rows"] - counts["wrong"]
    taken = counts["rows"] - counts["unknown"] if checking else counts["done"]
    return Progress(taken, total, upload.stage in RUNNING)


def undo_progress(request: HttpRequest, upload: MailboxImport) -> Progress:
    """Return how many of the changes are undone. It is running in the session of who began it."""
    if upload.stage != MailboxImport.Stage.DONE:
        return Progress(0, 0, running=False)
    total, left = mailbox_import_undo.of(upload).count(), mailbox_import_undo.waiting(upload).count()
    return Progress(total - left, total, left > 0 and request.session.get(UNDOING) == upload.pk)


def _breadcrumbs() -> list[Any]:
    return [MAILBOXES, breadcrumb(_("Import"), "mailboxes-imports")]
