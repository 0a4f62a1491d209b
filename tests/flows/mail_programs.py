"""Real mail programs that fetch from the listener: one poll each, into a folder of the test."""

from __future__ import annotations

import mailbox
import subprocess
from pathlib import Path
from typing import Any, Protocol

from tests.installed_program import program
from tests.listeners import PASSWORD, MailSite, run

ADDRESS = "ann@example.org"
INTO_MBOX = "(echo From fetched@localhost Thu Jan  1 00:00:00 1970; cat; echo)"  # a delivery of one message, for sh


def subjects(folder: Path) -> list[str]:
    """The subjects in a Maildir or an mbox, in order."""
    stored = mailbox.Maildir(folder) if folder.is_dir() else mailbox.mbox(folder)
    return sorted(str(message["Subject"]) for message in stored)


def succeeded(finished: subprocess.CompletedProcess[bytes], *codes: int) -> bytes:
    assert finished.returncode in (codes or (0,)), (finished.returncode, finished.stdout, finished.stderr)
    return finished.stdout


def curl(mail_site: MailSite, url: str, *options: str, secret: str = PASSWORD) -> bytes:
    """One call of curl; the URL decides on TLS."""
    trust = ["--cacert", str(mail_site.authority.ca_file), "--user", f"{ADDRESS}:{secret}"]
    return succeeded(run([program("curl"), "--silent", "--show-error", *trust, *options, url]))


class Ports(Protocol):
    port: int
    tls_port: int


class Server(Protocol):
    """What a program fetches from: a site of ours, or another server."""

    pop3d: Ports
    authority: Any


def fetchmail(
    site: Server,
    folder: Path,
    options: str,
    *,
    server: str = "",
    tls: str = "ssl",
    secret: str = PASSWORD,
    address: str = ADDRESS,
) -> subprocess.CompletedProcess[bytes]:
    """One poll into the mbox `folder/mbox`."""
    port = site.pop3d.tls_port if tls == "ssl" else site.pop3d.port
    rc = folder / "fetchmailrc"
    rc.write_text(
        f'poll localhost service {port} protocol pop3 {server} username "{address}" password "{secret}"\n'
        f"  {'ssl' if tls == 'ssl' else 'sslproto TLS1.2+'} sslcertck sslcertfile {site.authority.ca_file}\n"
        f'  mda "{INTO_MBOX} >> {folder}/mbox"\n'
        f"  {options}\n"
    )
    rc.chmod(0o600)
    command = [program("fetchmail"), "--fetchmailrc", str(rc), "--pidfile", str(folder / "pid")]
    return run([*command, "--nosyslog", "--idfile", str(folder / "ids")], FETCHMAILHOME=str(folder))


def mpop(site: Server, folder: Path, *, keep: bool, secret: str = PASSWORD, address: str = ADDRESS) -> bytes:
    """One poll into the Maildir `folder/mail`; mpop pipelines."""
    mailbox.Maildir(folder / "mail")
    rc = folder / "mpoprc"
    rc.write_text(
        f"account ann\nhost localhost\nport {site.pop3d.tls_port}\nuser {address}\npassword {secret}\nauth user\n"
        f"tls on\ntls_starttls off\ntls_trust_file {site.authority.ca_file}\npipelining on\n"
        f"uidls_file {folder}/uidls\nkeep {'on' if keep else 'off'}\ndelivery maildir {folder}/mail\n"
        "account default : ann\n"
    )
    rc.chmod(0o600)
    return succeeded(run([program("mpop"), f"--file={rc}", "ann"]))


def getmail(mail_site: MailSite, folder: Path, *, delete: bool, tls: bool = True, secret: str = PASSWORD) -> bytes:
    """One poll into the mbox `folder/mbox`; getmail's own Maildir delivery refuses to work as root."""
    port = mail_site.pop3d.tls_port if tls else mail_site.pop3d.port
    (folder / "getmailrc").write_text(
        f"[retriever]\ntype = {'SimplePOP3SSLRetriever' if tls else 'SimplePOP3Retriever'}\n"
        f"server = localhost\nport = {port}\nusername = {ADDRESS}\npassword = {secret}\n"
        f"{f'ca_certs = {mail_site.authority.ca_file}' if tls else ''}\n"
        "[destination]\ntype = MDA_external\npath = /bin/sh\nallow_root_commands = true\n"
        f"arguments = ('-c', '{INTO_MBOX} >> {folder}/mbox')\n"
        f"[options]\nread_all = false\ndelete = {'true' if delete else 'false'}\n"
    )
    return succeeded(run([program("getmail"), f"--getmaildir={folder}", "--rcfile=getmailrc"]))
