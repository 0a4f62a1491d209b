"""What is wrong with an address, a domain or a login, as people read it; mailstore.policy.addresses decides what is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from mailstore.policy.addresses import ADDRESS_OCTETS, TYPED_OCTETS, BadAddress, Flaw

_SENTENCES = {
    Flaw.TOO_LONG: gettext_lazy("the name is longer than %(typed_octets)d octets"),
    Flaw.NO_AT: gettext_lazy("%(text)r is not an address: it has no @"),
    Flaw.QUOTED: gettext_lazy(
        "%(text)r cannot be used here: a quoted name before the @ is not offered, few programs can write to it"
    ),
    Flaw.BAD_LOCAL_PART: gettext_lazy("%(text)r is not an address: the part before the @ is not one"),
    Flaw.BAD_DOMAIN: gettext_lazy(
        "%(text)r is not a domain name: letters, digits and hyphens, at least one dot, such as example.org"
    ),
    Flaw.LONG_ADDRESS: gettext_lazy("the address is longer than %(address_octets)d octets"),
    Flaw.NUL_IN_LOGIN: gettext_lazy("a login has no NUL"),
}


def sentence(error: BadAddress) -> str:
    """One sentence in the reader's language, on one line whatever was typed: of a form, of Rejected, of an import."""
    told = {"text": error.text, "typed_octets": TYPED_OCTETS, "address_octets": ADDRESS_OCTETS}
    return _SENTENCES[error.flaw] % told
