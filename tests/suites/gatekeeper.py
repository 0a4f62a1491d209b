"""What all gatekeepers must say of recipients and senders."""

from __future__ import annotations

from mailstore.errors import MailError, QuotaDeferred, QuotaRejected, RecipientDisabled, UnknownRecipient
from tests.suites.site import ANN, BOB, Site


def objection(site: Site, address: str = ANN, octets: int | None = None) -> type[MailError] | None:
    """Return the class of the objection to a recipient; None for none."""
    (answer,) = site.ask(lambda done: site.gatekeeper.may_receive(address, octets, done))
    return None if answer is None else type(answer)


class GatekeeperSuite:
    def test_a_mailbox_is_welcome_and_an_unknown_name_of_ours_is_not(self, site: Site) -> None:
        site.add_mailbox(ANN)
        assert objection(site) is None
        assert objection(site, "nobody@example.org") is UnknownRecipient
        assert objection(site, "nobody@elsewhere.example") is None

    def test_what_is_switched_off_or_full_is_refused_as_its_domain_says(self, site: Site) -> None:
        site.add_mailbox(ANN)
        site.add_mailbox(BOB)
        site.leave_no_room(ANN, reject=False)
        assert objection(site) is QuotaDeferred
        site.leave_no_room(ANN, reject=True)
        assert objection(site) is QuotaRejected
        site.stop_receiving(BOB)
        assert objection(site, BOB) is RecipientDisabled

    def test_who_has_no_limit_may_send(self, site: Site) -> None:
        site.add_mailbox(ANN)
        for login in (ANN, "somebody@elsewhere.example"):
            assert site.ask(lambda done, login=login: site.gatekeeper.may_send(login, done)) == [None]
