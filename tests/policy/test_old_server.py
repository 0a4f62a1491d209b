"""The URL of an old server: what is understood, and what is refused."""

from __future__ import annotations

import pytest

from mailstore.policy.old_server import BadOldServer, OldServer, is_url, parse


@pytest.mark.parametrize(
    ("text", "server", "url"),
    [
        ("pop3s://old.example", OldServer("old.example", 995, True), "pop3s://old.example"),
        ("POP3S://Old.Example:995/", OldServer("old.example", 995, True), "pop3s://old.example"),
        ("pop3://old.example", OldServer("old.example", 110, False), "pop3://old.example"),
        ("pop3://192.0.2.7:1110", OldServer("192.0.2.7", 1110, False), "pop3://192.0.2.7:1110"),
        ("pop3s://[2001:db8::1]:995", OldServer("2001:db8::1", 995, True), "pop3s://[2001:db8::1]"),
        ("pop3s://b\u00fccher.example", OldServer("xn--bcher-kva.example", 995, True), "pop3s://xn--bcher-kva.example"),
    ],
)
def test_a_url_names_a_host_a_port_and_how_tls_begins(text: str, server: OldServer, url: str) -> None:
    assert parse(text) == server
    assert server.url == url
    assert parse(url) == server


@pytest.mark.parametrize(
    "text",
    ["", "old.example", "imaps://old.example", "pop3s://", "pop3s://ann@old.example", "pop3s://old.example/inbox",
     "pop3s://old.example:0", "pop3s://old.example:99999", "pop3s://old.example:x", "pop3s://old example",
     "pop3s://old.example?x", "pop3s://[::1", "pop3s://-old.example", "pop3s://" + "a" * 300],
)  # fmt: skip
def test_what_is_no_url_of_a_pop3_server_is_refused(text: str) -> None:
    with pytest.raises(BadOldServer):
        parse(text)


def test_a_path_is_not_taken_for_a_url() -> None:
    assert is_url("POP3://old.example")
    assert not is_url("/srv/pop3s:/ann")
