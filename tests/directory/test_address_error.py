"""The sentences about bad addresses: one for each flaw, in each language, on one line."""

from __future__ import annotations

import pytest
from django.utils import translation

from mailstore.directory import address_error
from mailstore.policy.addresses import BadAddress, Flaw


@pytest.mark.parametrize("flaw", Flaw)
def test_each_flaw_has_its_sentence_in_both_languages(flaw: Flaw) -> None:
    said = {}
    for language in ("en", "fr"):
        with translation.override(language):
            said[language] = address_error.sentence(BadAddress(flaw, "100%s\r\nof it"))
    assert said["en"] != said["fr"]
    assert all(len(text.splitlines()) == 1 for text in said.values())
