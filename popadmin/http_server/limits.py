"""The limits of one web process, in seconds, octets and counts; nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * 1024

READ_OCTETS = 16 * KIB  # read from one peer before the next has its turn
CHUNK_OCTETS = 256  # what the framing of a chunk counts for: its cost is work; senders take 4 KB a chunk or more
DRAIN_OCTETS = 64 * KIB  # the same where nothing is done with it
UNSENT_OCTETS = 128 * KIB  # of an answer in the system's buffers beyond what is on its way (tcp(7))
WRITE_OCTETS = 256 * KIB  # sent to one peer before the next has its turn


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a site. Tests use their own, with short waits."""

    # --- how long a peer may take ---
    head_seconds: float = 10.0  # from the connection, or the first octet of a later request, to the end of the head
    body_seconds: float = 30.0  # for a form
    body_octets_a_second: int = 64 * KIB  # what is longer than a form has a second more for each
    stall_seconds: float = 30.0  # no octet of an answer was read for this long: the peer has stopped reading
    answer_seconds: float = 60.0  # for a page
    answer_octets_a_second: int = 16 * KIB  # a phone at the edge of a cell; a longer answer has a second more for each
    linger_seconds: float = 5.0  # after the last answer, for the peer to read it and close
    linger_octets: int = 32 * MIB  # read and dropped in this time: closing earlier could lose the answer

    # --- how long a request waits for us ---
    queue_seconds: float = 30.0  # for a free thread: browsers and proxies give up after a minute
    ready_seconds: float = 4.0  # for /readyz: monitors wait some five

    # --- how much a peer may send ---
    head_octets: int = 32 * KIB  # the cookies of one name alone are 4 KB at most
    form_octets: int = 64 * KIB  # each connection may use this much memory
    anonymous_octets: int = MIB  # a form whose session ended while it was filled in comes back with the sign-in
    upload_octets: int = 25 * MIB  # a file of mailboxes is 20 MB at most; forms wrap little around it
    # What all peers together may have in memory beyond their first `form_octets`.
    anonymous_room_octets: int = 16 * MIB
    upload_room_octets: int = 75 * MIB

    # --- how much unread answer a peer may have ---
    memory_octets: int = MIB  # an answer rests in memory up to here; pages are smaller
    answers_room_octets: int = 64 * MIB  # the memory of all of them; beyond it, the oldest unread answer is cut
    downloads: int = 16  # larger answers at once, each in a file without a name
    downloads_of_a_session: int = 4
    download_room_octets: int = 1024 * MIB  # the disk space that all of them may use
    spare_disk_octets: int = 256 * MIB  # no answer starts below this free space: mail comes first

    # --- how many peers ---
    connections_of_an_address: int = 100  # a browser opens six; an IPv6 /64 is one address
