"""The MTAs that setup and check know, and which of them is meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected
from mailstore.mta import (
    exim_files,
    exim_setup,
    exim_view,
    last_check,
    postfix_facts,
    postfix_files,
    postfix_view,
    program,
)
from mailstore.mta.checks.subject import MtaView
from mailstore.mta.exim_setup import EximSetup
from mailstore.mta.postfix_setup import PostfixSetup
from mailstore.mta.setup import Mta


@dataclass(frozen=True, slots=True)
class Kind:
    """One MTA: how it is set up and examined in a configuration directory.

    `queue` is the folder in which it locks its processes, `sockets` where a unix socket for it fits best. `password`
    reads back the password of the database that a setup wrote; None if there is none.
    """

    program: str
    directory: Path
    setup: Callable[[Path], Mta]
    view: Callable[[Path], MtaView]
    queue: Callable[[Path], Path]
    password: Callable[[Path], str | None]
    is_running: Callable[[Path], bool]
    sockets: Callable[[Path], Path]
    needs_postsrsd: bool


POSTFIX, EXIM = "postfix", "exim"
MTAS: dict[str, Kind] = {
    POSTFIX: Kind(
        program="postfix",
        directory=postfix_facts.DIRECTORY,
        setup=PostfixSetup,
        view=postfix_view.read,
        queue=lambda directory: postfix_facts.read(directory).queue,
        password=postfix_files.written_password,
        is_running=postfix_facts.is_running,
        sockets=lambda directory: postfix_facts.read(directory).queue / postfix_files.FOLDER,
        needs_postsrsd=True,
    ),
    EXIM: Kind(
        program="exim4",
        directory=exim_setup.DIRECTORY,
        setup=EximSetup,
        view=exim_view.read,
        queue=lambda _directory: Path("/"),
        password=exim_files.written_password,
        is_running=lambda directory: exim_setup.running(EximSetup(directory).file) is not None,
        sockets=lambda _directory: exim_setup.SOCKETS,
        needs_postsrsd=False,
    ),
}


def chosen(name: str | None) -> str:
    """Return the MTA of this name; without one, the one that was set up, else the only one that is installed.

    Rejected where none is.
    """
    if name is not None:
        return name
    found = [last_check.last().mta, *(each for each, kind in MTAS.items() if program.find(kind.program))]
    for each in found:
        if each in MTAS:
            return each
    raise Rejected(_("there is no MTA here: install postfix and postfix-pgsql, or exim4-daemon-heavy"))
