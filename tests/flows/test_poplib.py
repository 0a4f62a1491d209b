"""Python's poplib against the listener."""

import poplib

from tests.listeners import PASSWORD, Post, numbered


def test_poplib_lists_fetches_and_removes_over_tls(post: Post) -> None:
    post.mailbox()
    sent = numbered(3)
    post.fill("ann@example.org", *sent)
    client = poplib.POP3_SSL("localhost", post.pop3d.tls_port, context=post.authority.context(), timeout=30)
    client.user("ann@example.org")
    client.pass_(PASSWORD)
    assert client.stat()[0] == 3
    lines = client.retr(2)[1]
    assert b"\r\n".join(lines).endswith(sent[1].rstrip(b"\r\n"))
    client.dele(2)
    client.quit()

    again = poplib.POP3("localhost", post.pop3d.port, timeout=30)
    again.stls(context=post.authority.context())
    again.user("ann@example.org")
    again.pass_(PASSWORD)
    assert [row.split()[0] for row in again.list()[1]] == [b"1", b"2"]
    assert b"Subject: message 3" in again.top(2, 0)[1]
    again.quit()
