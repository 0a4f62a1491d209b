"""Tell a file of aliases or forwards. Imported as mailboxes, its rows would keep the mail of their targets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy

from mailstore.directory.outcome import Rejected
from mailstore.models import MailboxImport
from mailstore.transfer import file_columns
from mailstore.transfer.csv_table import DATA, CsvTable, Row

_NOT_IN_WORDS = re.compile(r"[\W_]+")


def _letters(name: str) -> str:
    """Return a name in lower case without spaces, hyphens and other signs: `Send_To` and `send to` are one name."""
    return _NOT_IN_WORDS.sub("", name.lower())


# Names of columns with targets: here, in other panels (PostfixAdmin, mailcow, cPanel, Plesk, iRedMail, ISPConfig), and
# in tables that people write.
_NAMES = frozenset(
    _letters(name)
    for name in (
        "alias", "aliases", "alias address", "alias for", "deliver to", "delivers to", "destination", "destinations",
        "destination address", "destination addresses", "forward", "forwards", "forward address", "forward addresses",
        "forward to", "forwards to", "forwarded to", "forwarder", "forwarders", "forwarding", "forwardings",
        "forwarding address", "forwarding addresses", "goto", "leads to", "member", "members", "recipient",
        "recipients", "redirect", "redirects", "redirect to", "redirects to", "redirected to", "redirection",
        "redirections", "send to", "sends to", "sent to", "target", "targets", "target address", "target addresses",
        "adresse de destination", "adresse de redirection", "adresse de renvoi", "adresse de transfert", "cible",
        "cibles", "destinataire", "destinataires", "envoyer à", "envoyer vers", "membre", "membres", "mène à",
        "redirection vers", "rediriger vers", "renvoi", "renvois", "renvoi vers", "renvoyer vers", "transfert",
        "transferts", "transfert vers", "transférer à", "transférer vers", "vers",
    )
)  # fmt: skip
# A name with such a word, in any form (`mail forwards`, `new destination`), counts if addresses stand below it.
_WORD = re.compile(
    r"\b(?:alias|cible|deliver|destin|forward|goto|leads to|mène à|recipient|redir|renvo|target|transf[eé]r)"
)
Kind = MailboxImport.Kind
_KINDS = frozenset({"alias", "dlist", "domainalias", "forward"})  # the first cells of Modoboa's rows
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_BETWEEN_ADDRESSES = re.compile(r"[\s,;]+")
_SHOWN_CHARACTERS = 60
_COLUMN = gettext_lazy(
    "the column %(name)s says where mail is forwarded: this is a file of aliases, and mailboxes made of it would keep "
    "the mail of their targets. Import it as aliases; to import mailboxes, delete the column"
)
_ROW = gettext_lazy(
    "line %(line)d is an alias and its targets: a mailbox made of it would keep their mail. Import the file as "
    "aliases; to import mailboxes, delete such lines, or name the columns in the first line"
)


def is_one(table: CsvTable) -> bool:
    """Return whether the file holds aliases, as `refuse` finds them."""
    try:
        refuse(table)
    except Rejected:
        return True
    return False


def one_cell_of_targets(rows: Sequence[Row]) -> Sequence[Row]:
    """Join the cells of targets in a file whose rows all are an address and its targets; other rows stay as they are.

    A program that writes each target into a cell of its own names no columns.
    """
    if not rows or not all(_only_addresses(row) for row in rows):
        return rows
    return [Row(row.line, (row.cells[0], " ".join(cell for cell in row.cells[1:] if cell.strip()))) for row in rows]


def refuse(table: CsvTable) -> None:
    """Refuse a file that has a column of targets with cells that are not empty, or a row that is an alias.

    A column has targets if its name says so, or if its name has such a word and its cells hold addresses. The rows may
    have more cells than the header, or fewer.
    """
    for number, name in enumerate(table.header):
        cells = (cell for row in table.rows for cell in row.cells[number : number + 1])
        if _leads_on(name, cells):
            raise Rejected(_COLUMN % {"name": name[:_SHOWN_CHARACTERS]})
    known = file_columns.guess(Kind.MAILBOXES, table.header, [""] * len(table.header))
    # If the first column is known, it holds names or notes, where any word may stand.
    kinds = _KINDS if not known[0] else frozenset()
    for row in table.rows:
        if row.cells[0].lower() in kinds or (not any(known) and _only_addresses(row)):
            raise Rejected(_ROW % {"line": row.line})


def _leads_on(name: str, cells: Iterable[str]) -> bool:
    """Return whether a column with this name and these cells says where mail goes."""
    if _letters(name) in _NAMES:
        return any(cells)
    words = _BETWEEN_WORDS.sub(" ", name.strip().lower())
    return _WORD.search(words) is not None and any(DATA in cell for cell in cells)


def _only_addresses(row: Row) -> bool:
    """Return whether a row holds two or more addresses and nothing else, as the rows of an alias map do."""
    words = [word for cell in row.cells for word in _BETWEEN_ADDRESSES.split(cell) if word]
    return len(words) > 1 and all(DATA in word for word in words)
