"""Puts protocols, store and listener together into processes. Only this room knows every part."""

from mailstore.conf import Conf
from mailstore.sql.connection_pool import WRITE_LANES
from mailstore.wiring.mail import POP3_WRITE_LANES, serve_lmtp, serve_pop3
from mailstore.wiring.mta import QUESTION_WORKERS, QUESTION_WRITE_LANES, serve_policy, serve_sasl

__all__ = ["POP3_WRITE_LANES", "database_connections", "serve_lmtp", "serve_policy", "serve_pop3", "serve_sasl"]


def database_connections(conf: Conf) -> int:
    """Return how many database connections all listeners hold. Each worker reads on one and writes on others."""
    questions = sum(QUESTION_WORKERS for asked in (conf.sasl, conf.policy) if asked.listen)
    return (
        conf.pop3.workers * (1 + POP3_WRITE_LANES)
        + conf.lmtp.workers * (1 + WRITE_LANES)
        + questions * (1 + QUESTION_WRITE_LANES)
    )
