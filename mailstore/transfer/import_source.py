"""Opens the source of an import as its user chose: its messages, and what in it will not be imported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Protocol

from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected
from mailstore.transfer import old_server_text
from mailstore.transfer.sources import (
    PLAIN,
    Reading,
    SourceMessage,
    courier,
    cyrus,
    identity_of,
    maildir,
    mbox,
    uidl_format,
    uidlist,
)
from mailstore.transfer.sources.contents import NotMail, Why
from mailstore.transfer.sources.cyrus_index import BadCyrusIndex
from mailstore.transfer.sources.mbox import Doubt
from mailstore.transfer.sources.old_server_error import OldServerError
from mailstore.transfer.sources.pop3_client import Account
from mailstore.transfer.sources.pop3_mailbox import OldMailbox

FORMATS = ("maildir", "mbox", "cyrus")
PLACE_OCTETS = 8

Warn = Callable[[str], None]


class _OfFolders(Protocol):
    """A module that reads folders of mail. A folder has a name relative to `path`."""

    def messages(self, path: Path, reading: Reading, folder: str, /) -> tuple[int, Iterator[SourceMessage]]: ...
    def folders(self, path: Path, /) -> Iterator[str]: ...
    def names(self, path: Path, /) -> Iterator[str]: ...
    def not_mail(self, path: Path, reading: Reading, /) -> Iterator[NotMail]: ...


_OF_FOLDERS: dict[str, _OfFolders] = {"maildir": maildir, "cyrus": cyrus}


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user says about the source. `kind` is one of FORMATS; None means to look what it is."""

    kind: str | None = None
    uidl_format: str | None = None  # the pop3_uidl_format of the old server
    uidlist: Path | None = None  # the old server's list, if it is not beside the messages
    with_deleted: bool = False
    folders: tuple[str, ...] = ()  # of a Maildir, to be imported too
    all_folders: bool = False


DEFAULT = Choices()


@dataclass(frozen=True, slots=True)
class Source:
    """The messages of a source, the digest of its place, their number if it is known, and what is not imported.

    `not_mail` are files between the messages that are no messages. `other_folders` have their numbers of messages.
    `fetch` is told which messages are read next, in their order. `close` comes last.
    """

    place: bytes
    total: int | None
    messages: Iterator[SourceMessage]
    not_mail: Collection[NotMail] = ()
    other_folders: Mapping[str, int] = field(default_factory=dict)
    fetch: Callable[[Sequence[SourceMessage]], None] = lambda _messages: None
    close: Callable[[], None] = lambda: None
    cut: Callable[[OldServerError], str] = str  # says that the server of the messages is gone


def opened(place: Path | Account, choices: Choices, *, most_octets: int, warn: Warn) -> Source:
    """Open a source: a Maildir, an mbox, or the mailbox of an old server. Rejected if it cannot be read.

    `warn` hears of each place in an mbox that is in doubt.
    """
    if isinstance(place, Account):
        return _old_mailbox(place, choices, most_octets)
    return _files(place, choices, most_octets, warn)


def _old_mailbox(account: Account, choices: Choices, most_octets: int) -> Source:
    if choices != DEFAULT:
        raise Rejected(
            _("%(server)s is a server: it tells UIDLs itself, and has no folders") % {"server": account.server}
        )
    try:
        mailbox = OldMailbox(account, most_octets=most_octets)
    except OldServerError as error:
        raise Rejected(old_server_text.sentence(account, error)) from error
    return Source(
        _place("pop3", account.server.host.lower(), account.user.lower()),
        len(mailbox),
        mailbox.messages(),
        fetch=mailbox.fetch,
        close=mailbox.close,
        cut=partial(old_server_text.sentence_of_cut, account),
    )


def _files(path: Path, choices: Choices, most_octets: int, warn: Warn) -> Source:
    try:
        shown = None if choices.uidl_format is None else uidl_format.parse(choices.uidl_format)
        reading = Reading(shown, choices.uidlist, most_octets)
        kind = choices.kind or _kind(path)
        if kind == "mbox":
            return _mbox(path, choices, reading, warn)
        return _cyrus(path, choices, reading) if kind == "cyrus" else _maildir(path, choices, reading)
    except (OSError, uidlist.BadUidlist, courier.BadSizeList, BadCyrusIndex) as error:
        raise Rejected(_("%(path)s cannot be read: %(error)s") % {"path": path, "error": error}) from error
    except uidl_format.BadFormat as error:
        raise Rejected(_bad_format(error)) from error


def _kind(path: Path) -> str:
    """Return what is there, by the look of it."""
    if not path.is_dir():
        return "mbox"
    return "cyrus" if cyrus.is_spool(path) and not maildir.is_maildir(path) else "maildir"


def refusal(name: str, other: NotMail) -> str:
    """Return the sentence for a message that is missing, since it is compressed, encrypted or a link."""
    if other.why is Why.ENCRYPTED:
        text = _("%(name)s is encrypted by Dovecot and not imported: have it decrypted there first")
    elif other.why is Why.LINK:
        text = _("%(name)s is a link and not imported, as it may lead to the mail of others: put the file in its place")
    else:
        text = _("%(name)s is compressed with %(packing)s and not imported: unpack it first")
    return text % {"name": name, "packing": other.what}


def _bad_format(error: uidl_format.BadFormat) -> str:
    return _(
        "this UIDL format cannot be computed here: %(part)s. Known are %%u, %%v, %%f, %%g, such as %%08Xu%%08Xv, and "
        "%%{uid | hex(8)}; an mbox has only %%u and %%v"
    ) % {"part": error}


def _mbox(path: Path, choices: Choices, reading: Reading, warn: Warn) -> Source:
    if choices.folders or choices.all_folders or choices.uidlist:
        raise Rejected(_("%(path)s is an mbox: it has no folders and no uidlist") % {"path": path})
    if reading.uidl_format is not None and reading.uidl_format.of_names:
        raise uidl_format.BadFormat(choices.uidl_format)
    path.open("rb").close()

    def tell(offset: int, doubt: Doubt) -> None:
        warn(_doubt(path, offset, doubt))

    return Source(_place("mbox", str(path.resolve())), None, mbox.messages(path, reading, tell))


def _doubt(path: Path, offset: int, doubt: Doubt) -> str:
    if doubt is Doubt.SPLIT:
        text = _("%(path)s: a message begins at offset %(offset)d, though its From_ line is unusual: please check")
    else:
        text = _("%(path)s: the line at offset %(offset)d is read as text, not as the begin of a message: please check")
    return text % {"path": path, "offset": offset}


def _maildir(path: Path, choices: Choices, reading: Reading) -> Source:
    if not maildir.is_maildir(path):
        raise Rejected(_("%(path)s is not a Maildir: it has neither cur nor new, or they are links") % {"path": path})
    return _folders("maildir", path, choices, reading)


def _cyrus(path: Path, choices: Choices, reading: Reading) -> Source:
    if reading.uidl_format is not None and reading.uidl_format.of_names:
        raise uidl_format.BadFormat(choices.uidl_format)
    return _folders("cyrus", path, choices, reading)


def _folders(kind: str, path: Path, choices: Choices, reading: Reading) -> Source:
    module = _OF_FOLDERS[kind]
    there = list(module.folders(path))
    chosen = there if choices.all_folders else list(dict.fromkeys(choices.folders))
    for name in chosen:
        if name not in there:
            raise Rejected(_no_folder(path, name, there))
    read = [module.messages(path, reading, name) for name in ("", *chosen)]
    counts = {name: sum(1 for _name in module.names(path / name)) for name in there if name not in chosen}
    return Source(
        _place(kind, str(path.resolve())),
        sum(total for total, _messages in read),
        chain.from_iterable(messages for _total, messages in read),
        [other for name in ("", *chosen) for other in module.not_mail(path / name, PLAIN if name else reading)],
        {name: count for name, count in counts.items() if count},
    )


def _place(*parts: str) -> bytes:
    return identity_of(*(part.encode(errors="surrogateescape") for part in parts))[:PLACE_OCTETS]


def _no_folder(path: Path, name: str, there: list[str]) -> str:
    words = {"path": path, "name": name, "there": ", ".join(there)}
    if not there:
        return _("%(path)s has no folder %(name)s: it has no folders") % words
    return _("%(path)s has no folder %(name)s: it has %(there)s") % words
