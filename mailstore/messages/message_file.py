"""A stored message as a file: unstuffed, with its delivery headers. The wire form that RETR sends is in `maildrop`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from mailstore import bodies
from mailstore.models import Body, Message
from mailstore.ports import BodyRef, BodyStore
from mailstore.wire.stuffing import Unstuffer

CHUNK_OCTETS = 64 * 1024  # read, unstuffed and written at a time
site_store = bodies.site_store  # for the pages, which import no body store


def ref_of(body: Body) -> BodyRef:
    """Return what a row knows of its body, as the body store takes it."""
    return BodyRef(body.key, body.wire_octets, body.octets, bytes(body.digest), body.has_nul)


def unstuffed(store: BodyStore, message: Message) -> Iterator[bytes]:
    """Yield the message as RETR sends it, but unstuffed. BodyLost, before the first octet if it can be."""
    unstuffer = Unstuffer()
    with closing(bodies.open_and_wait(store, ref_of(message.body))) as opened:
        yield unstuffer.feed(bytes(message.prefix))
        for offset in range(0, opened.wire_octets, CHUNK_OCTETS):
            yield unstuffer.feed(opened.read(offset, CHUNK_OCTETS))
        yield unstuffer.finish()
