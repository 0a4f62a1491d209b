"""Tells a file of aliases or forwards from one of mailboxes, which would keep the mail of the targets."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import gettext_lazy

from mailstore.directory.outcome import Rejected
from mailstore.transfer import mailbox_columns
from mailstore.transfer.csv_table import DATA, Row, Sheet

# What columns of targets are called, here and in PostfixAdmin, mailcow, cPanel, Plesk, iRedMail and ISPConfig; in lower
# case, with blanks between the words.
_NAMES = frozenset(
    {
        "alias", "aliases", "alias address", "alias for", "cible", "cibles", "destinataire", "destinataires",
        "destination", "destinations", "forward",
        "forward address", "forward to", "forwarder", "forwarding", "forwardings", "forwards", "forwardto", "goto",
        "leads to", "mène à", "redirect", "redirect to", "redirection", "redirection vers", "redirections", "renvoi",
        "renvoi vers", "renvois", "target", "target address", "targets", "transfert", "transfert vers", "transferts",
        "transférer à", "transférer vers", "vers",
    }
)  # fmt: skip
# A name with such a word, in any form (`forwards_to`, `destination address`), counts where addresses stand below it.
_WORD = re.compile(
    r"\b(?:alias|cible|deliver|destin|forward|goto|leads to|mène à|recipient|redir|renvo|target|transf[eé]r)"
)
_KINDS = frozenset({"alias", "dlist", "domainalias", "forward"})  # how Modoboa's rows begin
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_BETWEEN_ADDRESSES = re.compile(r"[\s,;]+")
_SHOWN_CHARACTERS = 60
_COLUMN = gettext_lazy(
    "the column %(name)s says where mail is forwarded: this is a file of aliases, and mailboxes made of it would keep "
    "the mail of their targets. Create the aliases on the page Aliases; to import mailboxes, delete the column"
)
_ROW = gettext_lazy(
    "line %(line)d is an alias and its targets: a mailbox made of it would keep their mail. Create the aliases on the "
    "page Aliases; to import mailboxes, delete such lines, or name the columns in the first line"
)


def refuse(sheet: Sheet) -> None:
    """Rejected for a file with a column of targets that is not empty, and for one with a row that is an alias.

    A column is one of targets by its name, or by a word in it and the addresses in its cells. The rows may have more
    cells than the header, or fewer.
    """
    for number, name in enumerate(sheet.header):
        cells = (cell for row in sheet.rows for cell in row.cells[number : number + 1])
        if _leads_on(name, cells):
            raise Rejected(_COLUMN % {"name": name[:_SHOWN_CHARACTERS]})
    known = mailbox_columns.guess(sheet.header, [""] * len(sheet.header))
    # A first column that is known holds names or notes, in which any word may stand.
    kinds = _KINDS if not known[0] else frozenset()
    for row in sheet.rows:
        if row.cells[0].lower() in kinds or (not any(known) and _only_addresses(row)):
            raise Rejected(_ROW % {"line": row.line})


def _leads_on(name: str, cells: Iterable[str]) -> bool:
    """Say whether a column of this name and with these cells says where mail goes."""
    words = _BETWEEN_WORDS.sub(" ", name.strip().lower())
    if words in _NAMES:
        return any(cells)
    return _WORD.search(words) is not None and any(DATA in cell for cell in cells)


def _only_addresses(row: Row) -> bool:
    """An address, then others: what a map of aliases holds where no name of a column is known."""
    words = [word for cell in row.cells for word in _BETWEEN_ADDRESSES.split(cell) if word]
    return len(words) > 1 and all(DATA in word for word in words)
