from __future__ import annotations

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.tables.invisible import has_invisible, is_blank, trimmed

SHAPED = {
    *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13460)
}  # fmt: skip
"""Format characters that have a shape: signs around Arabic numbers, hieroglyphs, and the like."""


def test_every_invisible_character_of_unicode_is_one():
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        if unicodedata.category(letter) in {"Cf", "Zs", "Zl", "Zp", "Cc"} and code not in SHAPED:
            assert is_blank(letter), hex(code)
            assert letter.isspace() or has_invisible(letter), hex(code)
    assert all(is_blank(letter) for letter in "\u3164\u115f\u1160\uffa0\u2800\ufe0f")
    assert not any(is_blank(letter) for letter in "a.#0猫ｱ\u0601é")


@given(st.text(alphabet=st.sampled_from("a猫 \u200b\ufeff\u2060\xad\u3000\u200d👨\ufe0f")))
def test_only_the_edges_are_trimmed(text):
    assert trimmed(trimmed(text)) == trimmed(text)
    assert trimmed(text) in text
    assert trimmed(f"\u200b{text}\ufeff ") == trimmed(text)
    if not trimmed(text):
        assert is_blank(text)
