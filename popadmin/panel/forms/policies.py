"""The forms of retention policies: their rules and start, and who uses them. The directory validates the values."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error
from mailstore.directory.fields.field import Surface
from mailstore.directory.fields.policy import POLICY
from mailstore.directory.policies import NAME_CHARACTERS
from mailstore.models import Domain, Mailbox, RetentionPolicy
from mailstore.policy.addresses import ADDRESS_OCTETS, BadAddress, normal_address, normal_domain
from popadmin.web.edit_conflict import EditForm, preview_token
from popadmin.web.form_fields import Option, OptionField
from popadmin.web.table_field import others, with_fields

# The template names these. `others` are the rest.
_IN_TEMPLATE = (
    "name", "site", "offered", "expire_days", "expire_unfetched", "expire_confirmed_days", "remove_when_confirmed",
    "hold_days", "relief", "silent_days", "recovery_days", "recovery_octets", "diary_days", "start",
)  # fmt: skip
Relief = RetentionPolicy.Relief
capfirst_lazy = lazy(capfirst, str)  # choices of a model are in lower case
STARTS = (
    Option(
        "now",
        gettext_lazy("From now on"),
        gettext_lazy("Mail that is already there counts as if it had arrived today: nothing is removed by mistake."),
    ),
    Option("at-once", gettext_lazy("At once"), gettext_lazy("The next sweep removes old mail.")),
)


class PreviewForm(forms.Form):
    """A form with a preview. It is saved only if `previewed` proves that the preview showed these values."""

    start = OptionField(STARTS, label=gettext_lazy("Mail that is already there"), initial="now")
    previewed = forms.CharField(widget=forms.HiddenInput, required=False)

    @property
    def at_once(self) -> bool:
        return bool(self.cleaned_data["start"] == "at-once")

    @property
    def mark(self) -> str:
        """Return the token that `previewed` must contain for these values to be saved."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in ("previewed", "seen")}
        return preview_token(values)

    @property
    def was_previewed(self) -> bool:
        return bool(self.cleaned_data["previewed"] == self.mark)


@with_fields(*POLICY.on(Surface.FORM))
class PolicyForm(PreviewForm, EditForm):
    """A new policy or an existing one; `now` contains the current values of its fields."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=NAME_CHARACTERS)
    relief = OptionField(
        tuple(Option(value, capfirst_lazy(label)) for value, label in Relief.choices),
        label=POLICY["relief"].prompt,
        initial=Relief.NEVER,
    )

    def others(self) -> list[forms.BoundField]:
        return others(self, _IN_TEMPLATE)

    def fields_given(self) -> dict[str, Any]:
        """Return the fields for the directory."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("start", "previewed", "seen")}


def values(policy: RetentionPolicy) -> dict[str, Any]:
    """Return the values of a policy by form field; the defaults for a new policy."""
    return {"name": policy.name, **{field.name: field.value(policy) for field in POLICY}}


class ChoiceForm(PreviewForm):
    """The policy of a domain or mailbox. `of` is the name of a domain, or an address, that this user may see."""

    of = forms.CharField(
        label=gettext_lazy("Domain or mailbox"),
        max_length=ADDRESS_OCTETS,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    policy = forms.ModelChoiceField(
        RetentionPolicy.objects.none(),
        label=gettext_lazy("Retention policy"),
        required=False,
        empty_label=gettext_lazy("No policy of its own"),
        help_text=gettext_lazy(
            "Without one, a mailbox uses the policy of its domain, and a domain uses the site policy."
        ),
    )
    field_order = ("of", "policy", "start")

    def __init__(
        self,
        *args: Any,
        domains: QuerySet[Domain],
        mailboxes: QuerySet[Mailbox],
        policies: QuerySet[RetentionPolicy],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._domains, self._mailboxes = domains, mailboxes
        self.fields["policy"].queryset = policies.order_by("name")  # type: ignore[attr-defined]  # of rows

    @property
    def mark(self) -> str:
        """Include the present policy: if it has changed since the preview, the user must look again."""
        of: Domain | Mailbox = self.cleaned_data["of"]
        return preview_token({"values": super().mark, "followed": of.policy_id, "since": of.policy_since})

    def clean_of(self) -> Domain | Mailbox:
        value = self.cleaned_data["of"].strip()
        found: Domain | Mailbox | None
        try:
            if "@" in value:
                found = self._mailboxes.filter(user__address=normal_address(value)).first()
            else:
                found = self._domains.filter(name=normal_domain(value)).first()
        except BadAddress as error:
            raise forms.ValidationError(address_error.sentence(error), "of") from error
        if found is None:
            raise forms.ValidationError(_("%(name)s is neither a domain nor a mailbox.") % {"name": value}, "of")
        return found
