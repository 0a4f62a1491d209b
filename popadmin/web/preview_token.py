"""A token that ties a save to its preview: the preview page carries it, and the save must send it back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mailstore.models import RetentionPolicy


def mark(values: Mapping[str, Any]) -> str:
    """Return the same token for the same values; of a row its text counts, of a policy also when it was saved."""
    return hashlib.sha256(json.dumps(values, default=_words, sort_keys=True).encode()).hexdigest()


def _words(value: Any) -> str:
    """Return the text of a value; a policy that was saved again has another one."""
    return f"{value} {value.saved_at}" if isinstance(value, RetentionPolicy) else str(value)
