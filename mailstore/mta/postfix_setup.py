"""Setup of Postfix: which files it needs in its configuration directory, how they are tested and taken up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected
from mailstore.mta import config_block, postfix_facts, postfix_files, program, template
from mailstore.mta.config_block import Entry, NameOf, parameter_name, service_name
from mailstore.mta.installation import Installation, NewFile, foreign
from mailstore.mta.mail_server import Choices, Dkim, MailServer
from mailstore.mta.program import Outcome

MAP_MODE = 0o640
# What packages write, and Postfix' own defaults: setup may change it without asking. Lists are compared without commas.
_STOCK = {
    "smtpd_relay_restrictions": "permit_mynetworks permit_sasl_authenticated defer_unauth_destination",
    "virtual_alias_domains": "$virtual_alias_maps",
    "virtual_transport": "virtual",
}
# Setup changes these too: of the first it removes what is hosted here, and of the second it tells the former value.
_TOLD = frozenset({"mydestination", "myhostname"})
_NEW_MASTER = (Path("/etc/postfix/master.cf.proto"), Path("/usr/share/postfix/master.cf.dist"))


@dataclass(frozen=True, slots=True)
class PostfixSetup:
    """Setup for one configuration directory."""

    directory: Path

    @property
    def installation(self) -> Installation:
        return Installation(self.directory / postfix_files.FOLDER)

    def files(self, server: MailServer, choices: Choices, *, may_replace: bool) -> list[NewFile]:
        """Return all files as they are to be. Rejected for a value of somebody else, unless `may_replace`."""
        if choices.dkim is Dkim.EXIM:
            raise Rejected(_("Postfix does not sign by itself: use --dkim rspamd or --dkim opendkim"))
        facts = postfix_facts.read(self.directory)
        for name, address in postfix_files.unreachable(server, facts):
            wanted = facts.queue / postfix_files.FOLDER / Path(str(address.path)).name
            raise Rejected(
                _("%(name)s is %(address)s, out of reach of Postfix: set %(name)s=unix:%(wanted)s and restart popadmin")
                % {"name": name, "address": address, "wanted": wanted}
            )
        maps = [
            NewFile(self.directory / postfix_files.FOLDER / name, text.encode(), MAP_MODE, facts.owner)
            for name, text in postfix_files.map_files(server)
        ]
        return [*maps, self._main(server, choices, facts, may_replace), self._master(server, choices, may_replace)]

    def facts(self, files: list[NewFile]) -> dict[str, Any]:
        """Return what the record keeps of these files: the digest of each block."""
        blocks = {str(file.path): _block_digest(_text(file.data)) for file in files if file.is_shared}
        return {"blocks": blocks}

    def socket_folders(self, server: MailServer) -> Iterator[tuple[Path, str]]:
        """Yield the folders of the sockets, and the group that must get in."""
        addresses = (server.lmtp, server.sasl, server.policy)
        folders = {address.path.parent for address in addresses if address is not None and address.path is not None}
        group = postfix_facts.read(self.directory).owner if folders else ""
        yield from ((folder, group) for folder in folders)

    def without_secrets(self, line: str) -> str:
        """Return the line: setup makes no secret for Postfix."""
        return line

    def test(self) -> Outcome:
        """Let Postfix judge its configuration."""
        config = ["-c", str(self.directory)]
        services = program.run(["postconf", *config, "-M"])  # `check` does not read master.cf
        return program.run(["postfix", *config, "check"]) if services.good else services

    def reload(self) -> bool:
        """Let a running Postfix take the configuration up; return whether one runs."""
        if not postfix_facts.is_running(self.directory):
            return False
        return program.run(["postfix", "-c", str(self.directory), "reload"]).good

    def _main(
        self, server: MailServer, choices: Choices, facts: postfix_facts.PostfixFacts, may_replace: bool
    ) -> NewFile:
        path = self.directory / "main.cf"
        now = config_block.block(_text(path.read_bytes()) if path.exists() else "") or ""
        body = postfix_files.main_block(
            server,
            choices,
            facts,
            srs_2=postfix_files.POSTSRSD_2_FILE.exists(),
            own_mydestination=any(each.name == "mydestination" for each in config_block.entries(now, parameter_name)),
        )
        fresh = template.fill("postfix/new-main.cf", {})
        return self._shared(path, fresh, body, parameter_name, _is_harmless, may_replace=may_replace)

    def _master(self, server: MailServer, choices: Choices, may_replace: bool) -> NewFile:
        path = self.directory / "master.cf"
        body = postfix_files.master_block(server, choices)
        fresh = next((file.read_text() for file in _NEW_MASTER if file.exists()), "")
        return self._shared(path, fresh, body, service_name, _is_equal, may_replace=may_replace)

    def _shared(
        self,
        path: Path,
        fresh: str,
        body: str,
        name_of: NameOf,
        harmless: Callable[[Entry, Entry], bool],
        *,
        may_replace: bool,
    ) -> NewFile:
        """Return a file of the operator with our block. `fresh` is the file where there is none."""
        text = _text(path.read_bytes()) if path.exists() else fresh
        last = self.installation.facts().get("blocks", {}).get(str(path))
        if not may_replace and config_block.block(text) is not None and _block_digest(text) != last:
            raise foreign(_("the block of popadmin in %(file)s") % {"file": path})
        bare = config_block.without_block(text)
        ours = {entry.name: entry for entry in config_block.entries(body, name_of)}
        theirs = [entry for entry in config_block.entries(bare, name_of) if entry.name in ours]
        others = [entry for entry in theirs if not harmless(entry, ours[entry.name])]
        if others and not may_replace:
            named = "; ".join(entry.text for entry in others)
            raise foreign(_("in %(file)s, %(entries)s") % {"file": path, "entries": named})
        data = config_block.with_block(bare, body, name_of) if body else bare
        return NewFile(path, data.encode(errors="surrogateescape"), is_shared=True)


def _is_harmless(theirs: Entry, ours: Entry) -> bool:
    """Return whether a parameter may be replaced: its value is ours, or what a package writes."""
    stock = {_STOCK.get(theirs.name), _value(ours), ""}
    return theirs.name in _TOLD or _value(theirs) in stock


def _is_equal(theirs: Entry, ours: Entry) -> bool:
    return theirs.text == ours.text


def _value(entry: Entry) -> str:
    return " ".join(entry.text.partition("=")[2].replace(",", " ").split())


def _block_digest(text: str) -> str | None:
    body = config_block.block(text)
    return None if body is None else hashlib.sha256(body.encode(errors="surrogateescape")).hexdigest()


def _text(data: bytes | None) -> str:
    return (data or b"").decode(errors="surrogateescape")
