"""Classic faults in the configuration of the MTA, by which mail is lost, bounces or is refused."""

from __future__ import annotations

from mailstore.mta import host_name
from mailstore.mta.checks.result import Finding, bad, skipped
from mailstore.mta.checks.subject import Subject
from mailstore.policy.addresses import DELIMITER

# A hosted domain in one of these goes another way than to LMTP (virtual(5)).
OTHER_WAYS = ("mydestination", "virtual_alias_domains", "relay_domains")
LOOPBACK = frozenset({"loopback-only", "localhost", "127.0.0.1", "[::1]"})


def accepted(subject: Subject) -> Finding:
    """The MTA accepts its configuration."""
    said = subject.mta.test()
    return Finding() if said.good else bad("mta-refuses", said.words)


def own_name(subject: Subject) -> Finding:
    """The MTA calls itself by the full name of this host, which servers elsewhere look up."""
    found, ours = subject.mta.hostname, subject.server.hostname
    if not host_name.is_full(found):
        return bad("short-name", found, found=found or "-")
    return Finding(found) if found.lower() == ours.lower() else bad("other-name", found, found=found, host=ours)


def destinations(subject: Subject) -> Finding:
    """No hosted domain is also one of those that the MTA delivers or relays itself."""
    postfix = subject.mta.postfix
    if postfix is None:
        return skipped("postfix-only")
    for parameter in OTHER_WAYS:
        twice = sorted(word for word in map(str.lower, postfix.words(parameter)) if word in subject.server.domains)
        if twice:
            return bad(
                "domain-twice", f"{parameter} = {postfix.parameters[parameter]}", domain=twice[0], parameter=parameter
            )
    return Finding()


def delimiter(subject: Subject) -> Finding:
    """The MTA and LMTP find the mailbox of the same address: user+detail@domain."""
    postfix = subject.mta.postfix
    if postfix is None:
        return skipped("postfix-only")
    found = postfix.parameters.get("recipient_delimiter", "")
    said = f"recipient_delimiter = {found}"
    return Finding(said) if found == DELIMITER else bad("other-delimiter", said, found=found or "-")


def size_limit(subject: Subject) -> Finding:
    """The MTA takes no message that LMTP would refuse."""
    limit, ours = subject.mta.size_limit_octets, subject.server.message_octets
    if limit is None or limit > ours:
        return bad("size-above", f"{limit or 0} > {ours}", wanted=subject.server.message_limit_octets)
    return Finding(f"{limit} <= {ours}")


def interfaces(subject: Subject) -> Finding:
    """Servers elsewhere reach the MTA."""
    postfix = subject.mta.postfix
    if postfix is None:
        return skipped("postfix-only")
    if not postfix.words("inet_protocols"):
        return bad("no-protocols", "inet_protocols =")
    said = f"inet_interfaces = {postfix.parameters.get('inet_interfaces', '')}"
    return bad("loopback-only", said) if set(postfix.words("inet_interfaces")) <= LOOPBACK else Finding(said)


def lmtp_address(subject: Subject) -> Finding:
    """Only this machine and its own network reach LMTP, where everybody may deliver."""
    public = [str(address) for address in subject.lmtp_listens if address.is_public]
    said = ", ".join(map(str, subject.lmtp_listens))
    return bad("lmtp-public", said, address=public[0]) if public else Finding(said)


def rewriting(subject: Subject) -> Finding:
    """Mail that goes on elsewhere gets a sender of this host."""
    if subject.alias_elsewhere is None:
        return skipped("nothing-outside")
    return Finding() if subject.mta.is_rewriting else bad("no-srs")
