"""The SQL of the mail path; each statement that reads or changes mail exists once, in the file of its subject.

Each carries a comment: purpose, caller, parameters, locks and round trips. `manage.py sql NAME` prints it whole.
"""

from mailstore.sql.statements.certificates import SERVED_CERTIFICATES
from mailstore.sql.statements.delivery import (
    ADD_BODY,
    ANY_BODY,
    DELIVER,
    DELIVER_ALL,
    LOCK_DOMAINS,
    LOOPED,
    OURS,
    RECIPIENTS,
    RENAMES,
    ROOM,
    STORE_TIE,
    UNEXPANDED,
)
from mailstore.sql.statements.diary import BATCH, BEAT, CONFIRM, DIARY, PREVIOUS_PASSWORD, ROLL_UP_DIARY
from mailstore.sql.statements.refused_names import PRUNE_REFUSED_NAMES, REFUSED_NAMES
from mailstore.sql.statements.removal import REMOVE
from mailstore.sql.statements.sending import LOCK_BUDGETS, OPEN_BUDGETS, SENDING_LIMITS, TAKE_FROM_BUDGETS
from mailstore.sql.statements.shared_failures import FAILURES, FORGET_FAILURES, SHARE_FAILURES
from mailstore.sql.statements.sign_in import (
    KNOWN_NETWORKS,
    MAILBOX_OF,
    MOVING_DOMAINS,
    OWN_HASH,
    SIGHTINGS,
    SIGN_IN,
    SITE_EXPIRY,
)
from mailstore.sql.statements.trace import TRACE
from mailstore.sql.statements.view import BARRED, CARDS, HIDE, LISTING, LOCK, PAST_LISTING

READS = (
    ANY_BODY,
    BARRED,
    CARDS,
    FAILURES,
    LISTING,
    MAILBOX_OF,
    MOVING_DOMAINS,
    OURS,
    PAST_LISTING,
    PREVIOUS_PASSWORD,
    RECIPIENTS,
    RENAMES,
    ROOM,
    SENDING_LIMITS,
    SIGN_IN,
    SITE_EXPIRY,
    STORE_TIE,
)
WRITES = (
    ADD_BODY,
    BATCH,
    BEAT,
    CONFIRM,
    DELIVER,
    DELIVER_ALL,
    DIARY,
    FORGET_FAILURES,
    ROLL_UP_DIARY,
    HIDE,
    KNOWN_NETWORKS,
    LOCK,
    LOCK_BUDGETS,
    LOCK_DOMAINS,
    LOOPED,
    OPEN_BUDGETS,
    OWN_HASH,
    PRUNE_REFUSED_NAMES,
    REFUSED_NAMES,
    REMOVE,
    SERVED_CERTIFICATES,
    SHARE_FAILURES,
    SIGHTINGS,
    TAKE_FROM_BUDGETS,
    TRACE,
    UNEXPANDED,
)
