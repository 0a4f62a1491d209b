"""The forms of an import of mailboxes: the file, and the meaning of its columns."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from mailstore.models import MailboxImport
from mailstore.transfer import csv_table, mailbox_columns


class UploadForm(forms.Form):
    """The file. Its size is checked before it is read."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_(
            "The first line contains the column names, or is a row like the others. Separate cells by "
            "commas, semicolons or tabs; use UTF-8 or the encoding of Excel."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv"}),
        allow_empty_file=True,
    )

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > csv_table.OCTETS_AT_MOST:
            raise ValidationError(
                _("The file has more than %(most)d MB: split it."), params={"most": csv_table.OCTETS_AT_MOST // 1024**2}
            )
        return file


class ColumnsForm(forms.Form):
    """A choice for each column of the file, and what to do with the rows."""

    mode = forms.ChoiceField(label=_("What to do"), choices=MailboxImport.Mode.choices, widget=forms.RadioSelect)

    def __init__(self, *args: Any, upload: MailboxImport, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("leave out")), *((name, column.label) for name, column in mailbox_columns.COLUMNS.items())]
        self.fields["mode"].initial = upload.mode
        self.fields["mode"].widget.attrs["class"] = "form-check-input"
        for number, held in enumerate(upload.meaning):
            self.fields[f"column{number}"] = forms.ChoiceField(
                label=capfirst(upload.title(number)), choices=choices, required=False, initial=held,
                widget=forms.Select(attrs={"class": "form-select"}),
            )  # fmt: skip

    @property
    def meaning(self) -> list[str]:
        return [self.cleaned_data[name] for name in self.fields if name != "mode"]
