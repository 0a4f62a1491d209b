"""The forms of an import: the file, the meaning of its columns, and how its cells are read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from mailstore.models import MailboxImport
from mailstore.policy.quota import Reading
from mailstore.transfer import csv_table, file_columns

_SETTINGS = ("mode", "unit", "zero", "small_sizes", "existing_passwords")  # all other fields are columns


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
    """A choice for each column of the file, how its sizes and passwords are read, and what to do with the rows."""

    mode = forms.ChoiceField(label=_("What to do"), choices=MailboxImport.Mode.choices, widget=forms.RadioSelect)
    unit = forms.ChoiceField(
        label=_("Sizes without a unit are in"),
        choices=MailboxImport.Unit.choices,
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    zero = forms.ChoiceField(
        label=_("A size of 0 or -1 means"),
        choices=MailboxImport.Zero.choices,
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    small_sizes = forms.BooleanField(
        label=_("Sizes below 1 MB are meant"),
        help_text=_("They have hardly room for a message, so rows with such sizes are wrong without this."),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )
    existing_passwords = forms.BooleanField(
        label=_("The passwords are those of another server"),
        help_text=_("Weak ones are accepted too. Their users must choose a better one at their next sign-in here."),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def __init__(self, *args: Any, upload: MailboxImport, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = file_columns.columns(upload.kind).items()
        choices = [("", _("leave out")), *((name, column.label) for name, column in known)]
        for name in _SETTINGS:
            self.fields[name].initial = getattr(upload, name)
        self.fields["mode"].widget.attrs["class"] = "form-check-input"
        for number, held in enumerate(upload.meaning):
            self.fields[f"column{number}"] = forms.ChoiceField(
                label=capfirst(upload.title(number)), choices=choices, required=False, initial=held,
                widget=forms.Select(attrs={"class": "form-select"}),
            )  # fmt: skip

    @property
    def meaning(self) -> list[str]:
        return [self.cleaned_data[name] for name in self.fields if name not in _SETTINGS]

    @property
    def reading(self) -> Reading:
        chosen = self.cleaned_data
        return Reading(chosen["unit"], chosen["zero"], chosen["small_sizes"])
