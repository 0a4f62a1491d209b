"""What ties what is sent to what was shown before: a mark that the page of a preview carries and a save must bring."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mailstore.models import RetentionPolicy


def mark(values: Mapping[str, Any]) -> str:
    """The same for the same values, another for others; of a row its words count, of a policy its rules too."""
    return hashlib.sha256(json.dumps(values, default=_words, sort_keys=True).encode()).hexdigest()


def _words(value: Any) -> str:
    """A policy that was saved anew since is not the one that was shown."""
    return f"{value} {value.saved_at}" if isinstance(value, RetentionPolicy) else str(value)
