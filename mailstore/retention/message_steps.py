"""The steps that move live mail into recovery, in the order of a pass. A forecast makes them on copies of the rows."""

from mailstore.retention.coverage_step import COVERAGE
from mailstore.retention.expiry_step import EXPIRY
from mailstore.retention.relief_step import RELIEF
from mailstore.retention.silence_step import SILENCE
from mailstore.sql.device_settlement import SETTLE
from mailstore.sql.sweep_step import Step

MESSAGE_STEPS: tuple[Step, ...] = (
    SILENCE,
    SETTLE,
    COVERAGE,
    EXPIRY,
    RELIEF,
)
