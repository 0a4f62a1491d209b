"""The sample mail of the demo: plain text, newsletters, attachments and other things that real mailboxes contain."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

ELSEWHERE = "shop.example"  # RFC 2606 §2
EVERYBODY = ("alice", "bruno", "chloe")


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """One message, its envelope sender, and the local parts of its recipients."""

    sender: str
    to: tuple[str, ...]
    data: bytes


def sample_messages(domain: str) -> list[SampleMessage]:
    """Return the sample mail in the order of arrival; number and subjects are always the same."""
    kinds: tuple[tuple[Callable[[EmailMessage], None], str, tuple[str, ...]], ...] = (
        (_welcome, f"postmaster@{domain}", EVERYBODY),
        (_dots, f"bruno@{domain}", ("alice",)),
        (_accents, f"chloe@{domain}", ("alice", "bruno")),
        (_newsletter, f"news@{ELSEWHERE}", ("alice", "chloe")),
        (_invoice, f"billing@{ELSEWHERE}", ("alice",)),
        (_picture, f"alice@{domain}", ("bruno",)),
        (_to_the_team, f"bruno@{domain}", ("team",)),
    )
    start = datetime.now(UTC) - timedelta(hours=len(kinds))
    return [
        _message(write, sender, to, domain=domain, date=start + timedelta(hours=number))
        for number, (write, sender, to) in enumerate(kinds)
    ]


def _message(
    write: Callable[[EmailMessage], None], sender: str, to: tuple[str, ...], *, domain: str, date: datetime
) -> SampleMessage:
    message = EmailMessage(policy=SMTP)
    message["Date"] = format_datetime(date)
    message["From"] = sender
    message["To"] = ", ".join(f"{name}@{domain}" for name in to)
    message["Message-ID"] = make_msgid(domain=sender.partition("@")[2])
    write(message)
    return SampleMessage(sender, to, message.as_bytes())


def _welcome(message: EmailMessage) -> None:
    message["Subject"] = "Your mailbox is ready"
    message.set_content(
        "Hello,\n\nthis mailbox can be fetched by any mail program that speaks POP3.\n"
        "Its password can be changed in the web page, where you also see how full it is.\n\n-- \nYour postmaster\n"
    )


def _dots(message: EmailMessage) -> None:
    message["Subject"] = "A file that begins its lines with dots"
    message.set_content("Here is the end of my .profile:\n\n.\n.. /etc/bash.bashrc\n...\n. ~/.aliases\n\nBruno\n")


def _accents(message: EmailMessage) -> None:
    message["Subject"] = "Déjeuner à l’été · 夏の昼食 · 🍒"
    message.set_content(
        "Bonjour,\n\nça te dit de déjeuner jeudi chez Zoë ? Le menu : œufs, crème brûlée, 抹茶.\n\nÀ bientôt,\nChloé\n",
        cte="8bit",
    )


def _newsletter(message: EmailMessage) -> None:
    message["Subject"] = "What is new this month"
    message["List-Id"] = f"News <news.{ELSEWHERE}>"
    message["List-Unsubscribe"] = f"<https://{ELSEWHERE}/unsubscribe>"
    items = [f"Article {number}: tea number {number}, now in tins of {number * 50} g." for number in range(1, 121)]
    message.set_content("\n".join(items) + "\n")
    listed = "".join(f"<li>{item}</li>\n" for item in items)
    message.add_alternative(f"<html><body><h1>What is new</h1>\n<ul>\n{listed}</ul></body></html>\n", subtype="html")


def _invoice(message: EmailMessage) -> None:
    message["Subject"] = "Invoice 2024-117"
    message.set_content("Dear customer,\n\nplease find your invoice attached.\n")
    rows = [f'{line};"Tea, tin {line}";{line * 3}.90;EUR' for line in range(1, 400)]
    table = "\r\n".join(["line;article;price;currency", *rows, ""])
    message.add_attachment(table.encode(), maintype="text", subtype="csv", filename="invoice-2024-117.csv")


def _picture(message: EmailMessage) -> None:
    message["Subject"] = "The picture from Sunday"
    message.set_content("As promised.\n\nAlice\n")
    message.add_attachment(_png(320, 200), maintype="image", subtype="png", filename="Sunday – lake.png")


def _to_the_team(message: EmailMessage) -> None:
    message["Subject"] = "Team: Monday's meeting moves to 10:00"
    message.set_content("All,\n\nMonday's meeting begins at 10:00, in the same room.\n\nBruno\n")


def _png(width: int, height: int) -> bytes:
    """Return a true-colour PNG with a gradient: a sky over a lake."""
    rows = (b"\0" + bytes((80, 120 + 120 * row // height, 220)) * width for row in range(height))
    header = width.to_bytes(4) + height.to_bytes(4) + bytes((8, 2, 0, 0, 0))
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in chunks
    )
