"""Python's poplib against the listener."""

import poplib

from mailstore.models import DiarySession, Message
from tests.listeners import PASSWORD, MailSite, numbered
from tests.site.page_users import signed_in
from tests.up.programs import until


def test_poplib_lists_fetches_and_removes_over_tls(mail_site: MailSite) -> None:
    mail_site.mailbox()
    sent = numbered(3)
    mail_site.fill("ann@example.org", *sent)
    client = poplib.POP3_SSL("localhost", mail_site.pop3d.tls_port, context=mail_site.authority.context(), timeout=30)
    client.user("ann@example.org")
    client.pass_(PASSWORD)
    assert client.stat()[0] == 3
    lines = client.retr(2)[1]
    assert b"\r\n".join(lines).endswith(sent[1].rstrip(b"\r\n"))
    client.dele(2)
    client.quit()

    again = poplib.POP3("localhost", mail_site.pop3d.port, timeout=30)
    again.stls(context=mail_site.authority.context())
    again.user("ann@example.org")
    again.pass_(PASSWORD)
    assert [row.split()[0] for row in again.list()[1]] == [b"1", b"2"]
    assert b"Subject: message 3" in again.top(2, 0)[1]
    again.quit()


def test_a_deletion_without_quit_is_not_carried_out_and_the_owner_reads_so(mail_site: MailSite) -> None:
    mail_site.mailbox()
    mail_site.fill("ann@example.org", *numbered(2))
    client = poplib.POP3_SSL("localhost", mail_site.pop3d.tls_port, context=mail_site.authority.context(), timeout=30)
    client.user("ann@example.org")
    client.pass_(PASSWORD)
    client.dele(1)
    client.close()
    until(DiarySession.objects.exists, "the diary has the session")
    assert Message.objects.filter(removed=None).count() == 2
    for path in ("/diary/", "/mailbox/"):
        page = signed_in("ann@example.org").get(path).content.decode()
        assert "1 deletion not carried out: the program hung up without QUIT" in page
