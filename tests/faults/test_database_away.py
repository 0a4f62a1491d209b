"""The database goes and comes: everybody is told to try again, nothing is lost, and nobody has to restart anything."""

from __future__ import annotations

import pytest

from tests.faults.ground import SENDER, Ground
from tests.running import daemon
from tests.up.programs import until

ANN, BOB, CAT = "p0@example.org", "p1@example.org", "p2@example.org"
AWAY = b"-ERR [SYS/TEMP]"


def take_away(ground: Ground, how: str) -> None:
    if how == "stopped":
        ground.cluster.stop()
    else:
        ground.kill_postgres()


@pytest.mark.req("P-118")
@pytest.mark.req("P-035")
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_database_that_is_away_is_a_temporary_matter_and_its_return_is_noticed(ground: Ground, how: str) -> None:
    for address in (ANN, CAT):
        assert ground.deliver(address, b"Subject: before\r\n\r\nkept\r\n") == 250
    workers = [*ground.lmtpd.workers(), *ground.pop3d.workers()]
    with ground.session(ANN) as listed, ground.session(CAT) as fresh, ground.lmtp() as sending:
        assert listed.ask("DELE 1").startswith(b"+OK")
        sending.mail(SENDER)
        assert sending.rcpt(BOB)[0] == 250

        take_away(ground, how)
        until(lambda: ground.sign_in_reply(ANN).startswith(AWAY), "sign-ins are put off")
        until(lambda: ground.deliver(BOB, b"Subject: no\r\n") == 451, "deliveries are put off")
        # A wrong password is not called wrong, and an unknown recipient not unknown, while nobody can know.
        assert ground.sign_in_reply(ANN, "wrong").startswith(AWAY)
        assert ground.deliver("nobody@example.org", b"") == 451
        assert sending.data(b"Subject: caught in between\r\n")[0] == 451
        # Sessions live: what needs no row is answered, what does is put off.
        assert fresh.ask("NOOP") == b"+OK"
        assert fresh.ask("STAT").startswith(b"+OK 1 ")
        assert fresh.ask("LIST").startswith(AWAY)
        assert listed.ask("STAT").startswith(b"+OK 0 ")
        assert listed.quit().startswith(AWAY)

        ground.cluster.start()
        ground.until_it_serves()
        assert fresh.message(1).endswith(b"kept\r\n")
        assert fresh.quit().startswith(b"+OK")
    assert [*ground.lmtpd.workers(), *ground.pop3d.workers()] == workers
    with ground.session(BOB) as bob, ground.session(ANN) as ann:
        assert bob.ask("STAT") == b"+OK 0 0"
        assert b"Subject: before\r\n" in ann.message(1)


def test_a_backend_that_is_ended_in_the_middle_costs_one_answer(ground: Ground) -> None:
    with ground.session(ANN) as client:
        ground.sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'popadmin' AND pid <> pg_backend_pid()"
        )
        ground.until_it_serves()
        assert client.ask("NOOP") == b"+OK"


def test_listeners_that_start_before_their_database_serve_when_it_comes(ground: Ground) -> None:
    ground.cluster.stop()
    with daemon("pop3d", workers=1, **ground.environment) as pop3d, daemon("lmtpd", **ground.environment) as lmtpd:
        earlier = ground.pop3d, ground.lmtpd
        ground.pop3d, ground.lmtpd = pop3d, lmtpd
        try:
            assert ground.sign_in_reply(ANN).startswith(AWAY)
            assert ground.deliver(ANN, b"") == 451
            ground.cluster.start()
            ground.until_it_serves()
        finally:
            ground.pop3d, ground.lmtpd = earlier
