"""Say in one sentence why `mailstore.policy` refused an address, a domain name or a size."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.policy.addresses import ADDRESS_OCTETS, TYPED_OCTETS, BadAddress, Flaw
from mailstore.policy.old_server import URL_CHARACTERS
from mailstore.policy.quota import MAX_OCTETS, BadSize, SizeFlaw, format_octets

_SENTENCES = {
    Flaw.TOO_LONG: gettext_lazy("the name is longer than %(typed_octets)d bytes"),
    Flaw.NO_AT: gettext_lazy("%(text)r is not an address: it has no @. Write it whole, like name@example.org"),
    Flaw.QUOTED: gettext_lazy(
        "%(text)r cannot be used here: quoted names before the @ are not supported, because few mail "
        "programs can write to them"
    ),
    Flaw.BAD_LOCAL_PART: gettext_lazy("%(text)r is not an address: the part before the @ is not valid"),
    Flaw.BAD_DOMAIN: gettext_lazy(
        "%(text)r is not a domain name: letters, digits and hyphens, at least one dot, such as example.org"
    ),
    Flaw.LONG_ADDRESS: gettext_lazy("the address is longer than %(address_octets)d bytes"),
    Flaw.NUL_IN_LOGIN: gettext_lazy("a login cannot contain NUL characters"),
}

_WITHOUT_ENDING = re.compile(r"[^\W_]([\w-]*[^\W_])?", re.ASCII)  # one label, which people type for the whole name
SIZE_CHARACTERS = 40  # so many characters of the text are repeated in the sentence
_SIZE_SENTENCES = {
    SizeFlaw.NO_SIZE: gettext_lazy("%(text)r is not a size: write 2GB, 500MB, or none for no limit"),
    SizeFlaw.TOO_LARGE: gettext_lazy("%(text)r is above the largest size, %(most)s"),
    SizeFlaw.NO_UNIT: gettext_lazy(
        "%(number)s could be %(number)s bytes or %(number)s MB: write %(number)sMB, or %(number)sB for bytes"
    ),
    SizeFlaw.ZERO: gettext_lazy(
        "%(number)s could mean no mail at all or no limit: write none for no limit, or 0B for no mail"
    ),
    SizeFlaw.SMALL: gettext_lazy("%(number)s is below 1 MB: confirm that such sizes are meant, or write a larger one"),
}


def sentence(error: BadAddress) -> str:
    """Return one sentence in the reader's language. It is one line, whatever the text contains."""
    if error.flaw is Flaw.NO_AT and not error.text:
        return _("the address is missing")
    if error.flaw is Flaw.BAD_DOMAIN and _WITHOUT_ENDING.fullmatch(error.text):
        return _("“%(name)s” lacks its ending: write the whole name, like %(name)s.example") % {"name": error.text}
    words = {"text": error.text, "typed_octets": TYPED_OCTETS, "address_octets": ADDRESS_OCTETS}
    return _SENTENCES[error.flaw] % words


def size_sentence(error: BadSize) -> str:
    """Return the same for a size."""
    text = error.text[:SIZE_CHARACTERS]
    return _SIZE_SENTENCES[error.flaw] % {"text": text, "number": text, "most": format_octets(MAX_OCTETS)}


def server_sentence(text: str) -> str:
    """Return the sentence for a text that is no URL of a POP3 server."""
    return _(
        "%(text)r is no URL of a POP3 server: write pop3s://mail.old.example, or pop3:// where TLS begins by STLS"
    ) % {"text": text[:URL_CHARACTERS]}
