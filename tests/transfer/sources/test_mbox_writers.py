"""Properties of the mbox reader: whatever other writers, and our own export, put into an mbox comes back."""

from __future__ import annotations

import mailbox
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given
from hypothesis import strategies as st

from mailstore.transfer.sources import mbox
from mailstore.transfer.sources.mbox import Doubt

LINES = st.sampled_from(
    [
        b"",
        b"text",
        b"Name: value",
        b".",
        b"From ",
        b"From -",
        b"From me",
        b">From me",
        b">>From ann@x.org Sat Jan  3 01:05:34 1996",
        b"From ann@x.org Sat Jan  3 01:05:34 1996",
        b"From the garden Tue Jul 05 18:44:15 2022 we saw",
        b"X-UIDL: abc",
        b"X-Mozilla-Status: 0008",
        b"Content-Length: 40",
        b" folded",
        b"\xe9\x00",
    ]
) | st.binary(max_size=60).map(lambda data: data.replace(b"\n", b" ").replace(b"\r", b" "))
TEXTS = st.lists(LINES, max_size=8).map(lambda lines: b"".join(line + b"\n" for line in lines))
HEADERS = st.lists(st.sampled_from([b"Subject: x\n", b"To: a@x.org\n", b"X-Long: " + b"y" * 900 + b"\n"]), min_size=1)
MESSAGES = st.builds(lambda head, body: b"".join(head) + b"\n" + body, HEADERS, TEXTS)


def read(content: bytes) -> tuple[list[bytes], list[Doubt]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mbox"
        path.write_bytes(content)
        doubts: list[Doubt] = []
        rows = mbox.messages(path, tell=lambda _offset, doubt: doubts.append(doubt))
        return [b"".join(row.read()) for row in rows], doubts


@given(st.lists(st.tuples(st.from_regex(rb"[!-~]{1,70}", fullmatch=True), MESSAGES | TEXTS), min_size=1, max_size=5))
@example([(b"a", b""), (b"b", b"\n"), (b"c", b"X-UIDL: own\n")])
def test_what_our_export_writes_comes_back_octet_by_octet_and_without_a_doubt(
    messages: list[tuple[bytes, bytes]],
) -> None:
    content = b"".join(
        b"From MAILER-DAEMON Sat Jan  3 01:05:34 1996\nX-UIDL: "
        + uidl
        + b"\n"
        + b"".join(mbox.quoted([text.replace(b"\n", b"\r\n")]))
        + b"\n"
        for uidl, text in messages
    )
    assert read(content) == ([text for _uidl, text in messages], [])


@given(st.lists(MESSAGES, min_size=1, max_size=5))
def test_what_pythons_mailbox_writes_comes_back(messages: list[bytes]) -> None:
    """It quotes as mboxo does: a line that was quoted in the message before cannot be told from one that it quoted."""
    with TemporaryDirectory() as folder:
        writer = mailbox.mbox(f"{folder}/mbox")
        for message in messages:
            writer.add(message)
        writer.close()
        content = Path(folder, "mbox").read_bytes()
    rows, _doubts = read(content)
    plain = [_unquoted(message) for message in messages]
    assert [_unquoted(row).rstrip(b"\n") for row in rows] == [message.rstrip(b"\n") for message in plain]


@given(st.lists(MESSAGES, min_size=1, max_size=4))
def test_an_mbox_with_content_lengths_and_no_quoting_comes_back(messages: list[bytes]) -> None:
    parts = []
    for message in messages:
        head, _empty, body = message.partition(b"\n\n")
        body += b"From ann@x.org Sat Jan  3 01:05:34 1996\n\nend\n"
        parts.append((head + b"\nContent-Length: %d\n\n" % len(body), body))
    content = b"".join(b"From a@x.org Sat Jan  3 01:05:34 1996\n" + head + body + b"\n" for head, body in parts)
    rows, doubts = read(content)
    assert (rows, doubts) == ([head + body for head, body in parts], [])


def _unquoted(message: bytes) -> bytes:
    return b"\n".join(line.lstrip(b">") if b"From " in line[:40] else line for line in message.split(b"\n"))
