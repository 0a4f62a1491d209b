"""How a field stands in the header of a message, for those that read one. Line ends may be CRLF or bare LF."""

from __future__ import annotations

import re

END = re.compile(rb"\n\r?\n|\A\r?\n")  # RFC 5322 §2.1: the empty line behind the header


def pattern(name: str) -> re.Pattern[bytes]:
    """Return what finds a field by its name, in any case. The last group is its value, as it is folded.

    `name` may be several names as a group of alternatives. RFC 5322 §2.2.3: a line that begins with white space goes on
    with the field before it. §4.5.8: old programs put white space before the colon.
    """
    return re.compile(rb"(?im)^%b[ \t]*:(.*(?:\n[ \t].*)*)" % name.encode("ascii"))
