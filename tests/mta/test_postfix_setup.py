"""`mta setup postfix` on a configuration directory as Debian makes it: what it writes, refuses and brings back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailstore.directory.outcome import Rejected
from mailstore.keypair import Pair
from mailstore.mta import postfix_facts, program, setup
from mailstore.mta.mail_server import Choices, Dkim, Recipients
from mailstore.mta.postfix_setup import PostfixSetup
from mailstore.mta.socket_address import parse
from tests.installed_program import program as required_program
from tests.installed_program import unavailable
from tests.listeners import Authority
from tests.mta.site import MAIN, a_directory, a_server

pytestmark = pytest.mark.real
LOOKUP = Choices()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    required_program("postconf")
    if os.geteuid() != 0:
        unavailable("only root can check a Postfix")
    return a_directory(tmp_path)


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def parameters(directory: Path) -> dict[str, str]:
    return dict(postfix_facts.read(directory).parameters)


def test_setup_wires_every_part_and_postfix_accepts_it(directory: Path, authority: Authority) -> None:
    done = setup.run(PostfixSetup(directory), a_server(authority), LOOKUP, may_replace=False)
    assert {path.name for path in done.files} == {
        "main.cf", "master.cf", "domains.cf", "mailboxes.cf", "aliases.cf", "senders.cf",
    }  # fmt: skip
    found = parameters(directory)
    maps = f"proxy:pgsql:{directory}/popadmin"
    assert found["virtual_mailbox_maps"] == f"{maps}/mailboxes.cf"
    assert found["virtual_transport"] == "lmtp:inet:[127.0.0.1]:1024"
    assert found["smtpd_recipient_restrictions"].split(", ") == [
        "permit_mynetworks", "reject_unauth_destination", "check_policy_service inet:127.0.0.1:1026,",
    ]  # fmt: skip
    assert found["mydestination"] == "mail.example.org, localhost.example.org, localhost"  # without the hosted domain
    assert found["message_size_limit"] == "48500000"
    services = {service[0]: service for service in postfix_facts.read(directory).services}
    assert "smtpd_sender_restrictions=reject_sender_login_mismatch" in services["submission"]
    assert "smtpd_tls_wrappermode=yes" in services["submissions"]
    warned = program.run(["postconf", "-c", str(directory), "-n"]).output
    assert "warning" not in warned


def test_the_maps_hold_the_password_and_only_postfix_reads_them(directory: Path, authority: Authority) -> None:
    setup.run(PostfixSetup(directory), a_server(authority), LOOKUP, may_replace=False)
    file = directory / "popadmin/senders.cf"
    assert "hosts = postgresql://popadmin_mta:se%25cret@/popadmin?host=/run/postgresql&port=5432" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640
    assert (file.owner(), file.group(), file.parent.group()) == ("root", "postfix", "postfix")


def test_a_second_setup_changes_nothing_and_another_choice_only_what_it_concerns(
    directory: Path, authority: Authority
) -> None:
    mta, server = PostfixSetup(directory), a_server(authority)
    setup.run(mta, server, LOOKUP, may_replace=False)
    first = contents(directory)
    assert setup.run(mta, server, LOOKUP, may_replace=False).files == ()
    assert contents(directory) == first
    verify = Choices(recipients=Recipients.VERIFY, dkim=Dkim.RSPAMD, srs=True, submission=None)
    assert [path.name for path in setup.run(mta, server, verify, may_replace=False).files] == ["main.cf", "master.cf"]
    found = parameters(directory)
    assert found["virtual_mailbox_maps"] == ""
    assert "reject_unverified_recipient" in found["smtpd_recipient_restrictions"]
    assert found["smtpd_milters"] == "inet:localhost:11332"
    assert found["sender_canonical_maps"] == "tcp:127.0.0.1:10001"
    assert {service[0] for service in postfix_facts.read(directory).services} & {"submission", "submissions"} == {
        "submissions"
    }
    setup.undo(mta)
    assert contents(directory) == first


@pytest.mark.parametrize(
    ("own", "destinations"),
    [
        ("myhostname = box\nmydestination = $myhostname, localhost\n", "box, localhost, mail.example.org"),
        ("myhostname = example.org\nmydestination = $myhostname, localhost\n", "localhost, mail.example.org"),
        ("myhostname = mail.example.org\nmydestination = localhost\n", "localhost"),
        ("mydestination =\n", "mail.example.org"),
    ],
)
def test_postfix_calls_itself_by_the_name_of_the_host_and_undo_brings_the_former_back(
    tmp_path: Path, authority: Authority, own: str, destinations: str
) -> None:
    directory = a_directory(tmp_path, main=own)
    before, mta = contents(directory), PostfixSetup(directory)
    for _time in range(2):
        setup.run(mta, a_server(authority), LOOKUP, may_replace=False)
        found = parameters(directory)
        assert (found["myhostname"], found["smtp_helo_name"]) == ("mail.example.org", "mail.example.org")
        assert found["mydestination"] == destinations
    setup.undo(mta)
    assert contents(directory) == before


def test_a_host_name_that_is_no_full_one_changes_nothing(directory: Path, authority: Authority) -> None:
    setup.run(PostfixSetup(directory), a_server(authority, hostname="box"), LOOKUP, may_replace=False)
    assert parameters(directory)["myhostname"] == "mail.example.org"


def test_undo_brings_back_every_octet(directory: Path, authority: Authority) -> None:
    (directory / "main.cf").write_bytes(MAIN.replace("biff = no", "# \xe9").encode("latin-1").rstrip(b"\n"))
    (directory / "main.cf").chmod(0o640)
    before = contents(directory)
    mta = PostfixSetup(directory)
    setup.run(mta, a_server(authority), LOOKUP, may_replace=False)
    assert (directory / "main.cf").stat().st_mode & 0o777 == 0o640
    assert contents(directory) != before
    setup.undo(mta)
    assert contents(directory) == before
    assert (directory / "main.cf").stat().st_mode & 0o777 == 0o640
    assert not (directory / "popadmin").exists()
    with pytest.raises(Rejected, match="nothing to undo"):
        setup.undo(mta)


@pytest.mark.parametrize("name", ["main.cf", "popadmin/aliases.cf"])
def test_undo_refuses_a_file_that_was_changed_since_and_names_it(
    directory: Path, authority: Authority, name: str
) -> None:
    mta = PostfixSetup(directory)
    setup.run(mta, a_server(authority), LOOKUP, may_replace=False)
    with (directory / name).open("a") as stream:
        stream.write("# a note\n")
    after = contents(directory)
    with pytest.raises(Rejected, match=f"{name} has changed since"):
        setup.undo(mta)
    assert contents(directory) == after


def test_a_parameter_that_somebody_has_set_is_refused_by_name(directory: Path, authority: Authority) -> None:
    with (directory / "main.cf").open("a") as stream:
        stream.write("virtual_alias_maps =\n  hash:/etc/postfix/virtual\n")
    before = contents(directory)
    mta, server = PostfixSetup(directory), a_server(authority)
    with pytest.raises(Rejected, match="virtual_alias_maps = hash:/etc/postfix/virtual"):
        setup.run(mta, server, LOOKUP, may_replace=False)
    assert contents(directory) == before
    setup.run(mta, server, LOOKUP, may_replace=True)
    assert parameters(directory)["virtual_alias_maps"].startswith("proxy:pgsql:")
    setup.undo(mta)
    assert contents(directory) == before


def test_a_service_that_somebody_has_set_is_refused_by_name(directory: Path, authority: Authority) -> None:
    with (directory / "master.cf").open("a") as stream:
        stream.write("submission inet n - y - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n")
    with pytest.raises(Rejected, match=r"master\.cf, submission inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes"):
        setup.run(PostfixSetup(directory), a_server(authority), LOOKUP, may_replace=False)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("main.cf", "recipient_delimiter = +\n\n#", "recipient_delimiter = -\n\n#"),  # inside the block
        ("popadmin/domains.cf", "mta_domains", "my_domains"),
    ],
)
def test_what_somebody_changed_by_hand_since_is_not_overwritten(
    directory: Path, authority: Authority, name: str, old: str, new: str
) -> None:
    mta, server = PostfixSetup(directory), a_server(authority)
    setup.run(mta, server, LOOKUP, may_replace=False)
    file = directory / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    changed = a_server(authority, lmtp=parse("127.0.0.1:2024"))
    with pytest.raises(Rejected, match=f"{name}.* changed since"):
        setup.run(mta, changed, LOOKUP, may_replace=False)
    setup.run(mta, changed, LOOKUP, may_replace=True)
    assert new not in file.read_text()


def test_a_form_feed_in_a_comment_ends_no_line(directory: Path, authority: Authority) -> None:
    with (directory / "main.cf").open("a") as stream:
        stream.write("# written by hand\x0crelay_domains = example.org\x1c\n")
    before = contents(directory)
    mta = PostfixSetup(directory)
    setup.run(mta, a_server(authority), LOOKUP, may_replace=False)
    assert "# written by hand\x0crelay_domains = example.org\x1c\n" in (directory / "main.cf").read_text()
    setup.undo(mta)
    assert contents(directory) == before


def test_what_somebody_adds_beside_the_block_stays(directory: Path, authority: Authority) -> None:
    mta = PostfixSetup(directory)
    setup.run(mta, a_server(authority), LOOKUP, may_replace=False)
    with (directory / "main.cf").open("a") as stream:
        stream.write("relayhost = [smart.example.net]\n")
    between = contents(directory)
    setup.run(mta, a_server(authority, message_octets=10_000_000), LOOKUP, may_replace=False)
    found = parameters(directory)
    assert (found["relayhost"], found["message_size_limit"]) == ("[smart.example.net]", "9700000")
    setup.undo(mta)
    assert contents(directory) == between


def test_where_postfix_does_not_accept_it_the_former_state_is_back(directory: Path, authority: Authority) -> None:
    (directory / "master.cf").write_text("smtp inet n - n - - smtpd\nbroken\n")
    before = contents(directory)
    with pytest.raises(Rejected, match=r"the former is back: .*master\.cf"):
        setup.run(PostfixSetup(directory), a_server(authority), LOOKUP, may_replace=False)
    assert contents(directory) == before


def test_the_role_changes_after_postfix_has_accepted_the_files_and_what_it_refuses_brings_them_back(
    directory: Path, authority: Authority
) -> None:
    before = contents(directory)

    def refuse() -> None:
        assert contents(directory) != before
        raise Rejected("popadmin may not create the role")

    with pytest.raises(Rejected, match="may not create"):
        setup.run(PostfixSetup(directory), a_server(authority), LOOKUP, may_replace=False, accepted=refuse)
    assert contents(directory) == before
    (directory / "master.cf").write_text("broken\n")
    with pytest.raises(Rejected, match="the former is back"):
        setup.run(PostfixSetup(directory), a_server(authority), LOOKUP, may_replace=False, accepted=refuse)


def test_a_certificate_that_is_missing_is_refused_before_anything_is_written(
    directory: Path, authority: Authority
) -> None:
    before = contents(directory)
    server = a_server(authority, pairs=(Pair(authority.cert_file, directory / "gone.pem"),))
    with pytest.raises(Rejected, match=r"gone\.pem is not there"):
        setup.run(PostfixSetup(directory), server, LOOKUP, may_replace=False)
    assert contents(directory) == before


def test_a_preview_is_a_diff_without_the_password_and_writes_nothing(directory: Path, authority: Authority) -> None:
    before = contents(directory)
    lines = setup.preview(PostfixSetup(directory), a_server(authority), LOOKUP, may_replace=False)
    assert contents(directory) == before
    assert "#popadmin: mydestination = $myhostname, example.org, localhost.example.org, localhost" in "\n".join(lines)
    assert "+virtual_alias_domains =" in lines
    assert not [line for line in lines if "se%25cret" in line or "se%cret" in line]


def test_an_empty_directory_becomes_a_working_configuration(tmp_path: Path, authority: Authority) -> None:
    required_program("postconf")
    mta = PostfixSetup(tmp_path)
    files = {file.path.name: file for file in mta.files(a_server(authority), LOOKUP, may_replace=False)}
    assert b"\nmyhostname = mail.example.org\n" in files["main.cf"].data
    assert b"\ncleanup " in files["master.cf"].data


def test_a_socket_outside_of_the_queue_is_refused_and_one_inside_gets_its_folder(
    directory: Path, authority: Authority
) -> None:
    mta, queue = PostfixSetup(directory), directory.parent / "queue"
    with pytest.raises(Rejected, match=f"set LMTP_LISTEN=unix:{queue}/popadmin/lmtp"):
        mta.files(a_server(authority, lmtp=parse("unix:/run/popadmin/lmtp")), LOOKUP, may_replace=False)
    server = a_server(
        authority,
        **{part: parse(f"unix:{queue}/popadmin/{part}") for part in ("lmtp", "sasl", "policy")},
    )
    assert setup.run(mta, server, LOOKUP, may_replace=False).folders == (queue / "popadmin",)
    assert ((queue / "popadmin").stat().st_mode & 0o7777, (queue / "popadmin").group()) == (0o2750, "postfix")
    found = parameters(directory)
    assert found["virtual_transport"] == "lmtp:unix:popadmin/lmtp"
    assert found["smtpd_sasl_path"] == "popadmin/sasl"
    assert "check_policy_service unix:popadmin/policy" in found["smtpd_recipient_restrictions"]
    setup.undo(mta)
    assert not (queue / "popadmin").exists()
