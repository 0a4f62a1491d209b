"""Real mail programs fetch from the listener: what came in arrives, what they delete is gone, nothing comes twice."""

from __future__ import annotations

import mailbox
import subprocess
from pathlib import Path

import pytest

from tests.running import PASSWORD, Post, numbered, program, run

pytestmark = pytest.mark.real
ADDRESS = "ann@example.org"
COUNT = 5
INTO_MBOX = "(echo From fetched@localhost Thu Jan  1 00:00:00 1970; cat; echo)"  # a delivery of one message, for sh


@pytest.fixture
def filled(post: Post) -> Post:
    """Five messages wait for ann; the second begins its lines with dots."""
    post.mailbox()
    first, second, *rest = numbered(COUNT, octets=3000)
    post.fill(ADDRESS, first, second + b".\r\n..\r\n.dots\r\n", *rest)
    return post


def subjects(folder: Path) -> list[str]:
    """The subjects in a Maildir or an mbox, in order."""
    stored = mailbox.Maildir(folder) if folder.is_dir() else mailbox.mbox(folder)
    return sorted(str(message["Subject"]) for message in stored)


def waiting(post: Post) -> int:
    with post.session() as session:
        return int(session.ask("STAT").split()[1])


def succeeded(finished: subprocess.CompletedProcess[bytes], *codes: int) -> bytes:
    assert finished.returncode in (codes or (0,)), (finished.returncode, finished.stdout, finished.stderr)
    return finished.stdout


ALL = [f"message {number}" for number in range(1, COUNT + 1)]


# --- curl ---------------------------------------------------------------------------------------------------------


def curl(post: Post, url: str, *options: str) -> bytes:
    """One call of curl; the URL decides on TLS."""
    trust = ["--cacert", str(post.authority.ca_file), "--user", f"{ADDRESS}:{PASSWORD}"]
    return succeeded(run([program("curl"), "--silent", "--show-error", *trust, *options, url]))


@pytest.mark.parametrize("how", ["pop3", "pop3s", "STLS", "AUTH LOGIN", "initial response"])
def test_curl_lists_fetches_and_deletes(filled: Post, how: str) -> None:
    options = {
        "STLS": ["--ssl-reqd"],
        "AUTH LOGIN": ["--ssl-reqd", "--login-options", "AUTH=LOGIN"],
        "initial response": ["--ssl-reqd", "--sasl-ir"],
    }.get(how, [])
    port = filled.pop3d.tls_port if how == "pop3s" else filled.pop3d.port
    url = f"{'pop3s' if how == 'pop3s' else 'pop3'}://localhost:{port}/"
    with filled.session() as session:
        listed, second = session.rows("LIST"), session.message(2)
    assert curl(filled, url, *options).splitlines() == listed
    assert curl(filled, url + "2", *options) == second
    curl(filled, url + "2", *options, "--request", "DELE", "--head")
    assert waiting(filled) == COUNT - 1


def test_curl_fetches_several_messages_on_one_connection(filled: Post) -> None:
    url = f"pop3s://localhost:{filled.pop3d.tls_port}/[1-{COUNT}]"
    fetched = curl(filled, url)
    assert [fetched.count(f"Subject: {subject}\r\n".encode()) for subject in ALL] == [1] * COUNT


# --- fetchmail ----------------------------------------------------------------------------------------------------


def fetchmail(
    post: Post, folder: Path, options: str, *, server: str = "", tls: str = "ssl"
) -> subprocess.CompletedProcess[bytes]:
    """One poll into the mbox `folder/mbox`."""
    port = post.pop3d.tls_port if tls == "ssl" else post.pop3d.port
    rc = folder / "fetchmailrc"
    rc.write_text(
        f'poll localhost service {port} protocol pop3 {server} username "{ADDRESS}" password "{PASSWORD}"\n'
        f"  {'ssl' if tls == 'ssl' else 'sslproto TLS1.2+'} sslcertck sslcertfile {post.authority.ca_file}\n"
        f'  mda "{INTO_MBOX} >> {folder}/mbox"\n'
        f"  {options}\n"
    )
    rc.chmod(0o600)
    command = [program("fetchmail"), "--fetchmailrc", str(rc), "--pidfile", str(folder / "pid")]
    return run([*command, "--nosyslog", "--idfile", str(folder / "ids")], FETCHMAILHOME=str(folder))


@pytest.mark.parametrize("tls", ["ssl", "STLS"])
def test_fetchmail_drains_a_mailbox(filled: Post, tmp_path: Path, tls: str) -> None:
    succeeded(fetchmail(filled, tmp_path, "fetchall nokeep", tls=tls))
    assert subjects(tmp_path / "mbox") == ALL
    assert waiting(filled) == 0
    assert fetchmail(filled, tmp_path, "fetchall nokeep", tls=tls).returncode == 1  # fetchmail's "no mail"


def test_fetchmail_keeps_mail_and_knows_by_uidl_what_it_has(filled: Post, tmp_path: Path) -> None:
    succeeded(fetchmail(filled, tmp_path, "keep", server="uidl"))
    assert fetchmail(filled, tmp_path, "keep", server="uidl").returncode == 1
    filled.fill(ADDRESS, b"Subject: message 6\r\n\r\nnew\r\n")
    succeeded(fetchmail(filled, tmp_path, "keep", server="uidl"))
    assert subjects(tmp_path / "mbox") == [*ALL, "message 6"]
    assert waiting(filled) == COUNT + 1


# --- mpop ---------------------------------------------------------------------------------------------------------


def mpop(post: Post, folder: Path, *, keep: bool) -> bytes:
    """One poll into the Maildir `folder/mail`; mpop pipelines."""
    mailbox.Maildir(folder / "mail")
    rc = folder / "mpoprc"
    rc.write_text(
        f"account ann\nhost localhost\nport {post.pop3d.tls_port}\nuser {ADDRESS}\npassword {PASSWORD}\nauth user\n"
        f"tls on\ntls_starttls off\ntls_trust_file {post.authority.ca_file}\npipelining on\n"
        f"uidls_file {folder}/uidls\nkeep {'on' if keep else 'off'}\ndelivery maildir {folder}/mail\n"
        "account default : ann\n"
    )
    rc.chmod(0o600)
    return succeeded(run([program("mpop"), f"--file={rc}", "ann"]))


def test_mpop_drains_a_mailbox_with_pipelined_commands(filled: Post, tmp_path: Path) -> None:
    mpop(filled, tmp_path, keep=False)
    assert subjects(tmp_path / "mail") == ALL
    assert waiting(filled) == 0


def test_mpop_keeps_mail_and_fetches_nothing_twice(filled: Post, tmp_path: Path) -> None:
    mpop(filled, tmp_path, keep=True)
    filled.fill(ADDRESS, b"Subject: message 6\r\n\r\nnew\r\n")
    mpop(filled, tmp_path, keep=True)
    assert subjects(tmp_path / "mail") == [*ALL, "message 6"]
    assert waiting(filled) == COUNT + 1


# --- getmail ------------------------------------------------------------------------------------------------------


def getmail(post: Post, folder: Path, *, delete: bool, tls: bool = True) -> bytes:
    """One poll into the mbox `folder/mbox`; getmail's own Maildir delivery refuses to work as root."""
    port = post.pop3d.tls_port if tls else post.pop3d.port
    (folder / "getmailrc").write_text(
        f"[retriever]\ntype = {'SimplePOP3SSLRetriever' if tls else 'SimplePOP3Retriever'}\n"
        f"server = localhost\nport = {port}\nusername = {ADDRESS}\npassword = {PASSWORD}\n"
        f"{f'ca_certs = {post.authority.ca_file}' if tls else ''}\n"
        "[destination]\ntype = MDA_external\npath = /bin/sh\nallow_root_commands = true\n"
        f"arguments = ('-c', '{INTO_MBOX} >> {folder}/mbox')\n"
        f"[options]\nread_all = false\ndelete = {'true' if delete else 'false'}\n"
    )
    return succeeded(run([program("getmail"), f"--getmaildir={folder}", "--rcfile=getmailrc"]))


@pytest.mark.parametrize("tls", [True, False], ids=["pop3s", "pop3"])
def test_getmail_drains_a_mailbox(filled: Post, tmp_path: Path, tls: bool) -> None:
    getmail(filled, tmp_path, delete=True, tls=tls)
    assert subjects(tmp_path / "mbox") == ALL
    assert waiting(filled) == 0


def test_getmail_keeps_mail_and_fetches_nothing_twice(filled: Post, tmp_path: Path) -> None:
    getmail(filled, tmp_path, delete=False)
    filled.fill(ADDRESS, b"Subject: message 6\r\n\r\nnew\r\n")
    getmail(filled, tmp_path, delete=False)
    assert subjects(tmp_path / "mbox") == [*ALL, "message 6"]
    assert waiting(filled) == COUNT + 1
