"""What happened on one day, as the charts draw it; who counts it is not known here."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Day:
    date: datetime.date
    deliveries: int
    sign_ins: int
    refused: int
