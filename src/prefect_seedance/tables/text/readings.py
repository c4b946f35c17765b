"""The older encodings that a text may have, each with a test whether its reading of the bytes makes sense.

The tests lean to yes where there are few characters: they show that a text is doubtful, not what it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

__all__ = ["CHINESE", "READINGS", "Reading", "strange_letters"]

_FIRST = 5000
"""Characters that are looked at."""
_SURE = 30
"""Characters from which on their frequencies are known."""
_FREQUENT = frozenset(
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学么之都好看"
    "起发当没成只如事把还用第样道想作种开美总从无情己面最女但现前些所同日手又行意动方期它头经长儿回位分爱老因很给名法间斯知世什"
    "两次使身者被高已亲其进此话常与活正感見個這們來時為說國著裡後會過對學麼發當沒樣開總從無現經長兒給間兩親進話與動頭愛"
)
"""The characters that Chinese text has most: of real text 25 % and more, of other text that is read so 5 % at most."""
_HAN = re.compile("[\u3400-\u9fff]")
_WIDE_MARK = re.compile(
    "[\u2010-\u2bff\u3000-\u3020\u30fb\u30fc\uff01-\uff60\uffe0-\uffe6¤§¨°±·×÷ˇˉ]|[\U00010000-\U0010ffff]"
)
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_CYRILLIC_WORD = re.compile("[А-ЯЁ]?[а-яё]+|[А-ЯЁ]+")
_THAI_WORD = re.compile("(?:[เ-ไ]?[ก-ฮ][ัิ-ฺ็]?[่-๎]?[ะาำๅ]?)+")
_ACCENTED = re.compile("[À-ÖØ-öø-ſ]")
_MARKED_WORD = re.compile("[A-Za-z][À-ÖØ-öø-ſ]{1,2}|[À-ÖØ-öø-ſ]{1,2}[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Reading:
    """One encoding.

    Attributes:
        codec: Its name in Python.
        label: Its name for people.
        fits: Whether text that was decoded so makes sense; its argument also gets the characters beyond ASCII.
        wide: Whether its characters have two bytes.
    """

    codec: str
    label: str
    fits: Callable[[str, Sequence[str]], bool]
    wide: bool = True

    def sample(self, data: bytes) -> str | None:
        """Some of the characters that these bytes are in this encoding; None where they make no sense."""
        try:
            text = data.decode(self.codec)
        except UnicodeDecodeError:
            return None
        strange = strange_letters(text)
        return "".join(strange[:20]) if strange and self.fits(text, strange) else None


def strange_letters(text: str) -> list[str]:
    """The first characters beyond ASCII."""
    return re.findall(r"[^\x00-\x7f]", text[: 20 * _FIRST])[:_FIRST]


def _common(codec: str, first: range, last: range = range(0xA1, 0xFF)) -> frozenset[str]:
    return frozenset("".join(bytes((lead, trail)).decode(codec, "ignore") for lead in first for trail in last))


@cache
def _simplified() -> frozenset[str]:
    return _common("gb2312", range(0xB0, 0xD8))


@cache
def _traditional() -> frozenset[str]:
    return _common("big5", range(0xA4, 0xC7)) | _common("big5", range(0xA4, 0xC7), range(0x40, 0x7F))


@cache
def _kanji() -> frozenset[str]:
    return _common("euc_jp", range(0xB0, 0xD0))


def _most(strange: Sequence[str], known: Callable[[str], object]) -> bool:
    return sum(1 for letter in strange if known(letter)) >= 0.95 * len(strange)


def _is_han(strange: Sequence[str], common: frozenset[str]) -> bool:
    """Whether these are the characters of Chinese text, some of them frequent ones."""
    han = [letter for letter in strange if _HAN.match(letter)]
    frequent = sum(1 for letter in han if letter in _FREQUENT)
    return (
        bool(han)
        and _most(strange, lambda letter: letter in common or _WIDE_MARK.match(letter) or _KANA.match(letter))
        and (len(han) < _SURE or frequent >= 0.1 * len(han))
    )


def _chinese(_: str, strange: Sequence[str]) -> bool:
    kana = sum(1 for letter in strange if _KANA.match(letter))
    # A brand may have a の; more of them are Japanese in EUC, whose kana have the same bytes.
    return kana * 50 <= len(strange) and _is_han(strange, _simplified() | _traditional())


def _taiwanese(_: str, strange: Sequence[str]) -> bool:
    return _is_han(strange, _traditional())


def _korean(_: str, strange: Sequence[str]) -> bool:
    return any(map(_HANGUL.match, strange)) and _most(
        strange, lambda letter: _HANGUL.match(letter) or _WIDE_MARK.match(letter)
    )


def _japanese(_: str, strange: Sequence[str]) -> bool:
    kana = sum(1 for letter in strange if _KANA.match(letter))
    known = _kanji()
    return (
        any(letter in known or _KANA.match(letter) for letter in strange)
        and _most(strange, lambda letter: letter in known or _KANA.match(letter) or _WIDE_MARK.match(letter))
        and (len(strange) < _SURE or kana >= 0.1 * len(strange))
    )


def _cyrillic(text: str, strange: Sequence[str]) -> bool:
    words = re.findall("[А-яЁё]+", text[: 20 * _FIRST])
    good = sum(len(word) for word in words if _CYRILLIC_WORD.fullmatch(word))
    return good >= 0.8 * len(strange)


def _thai(text: str, _: Sequence[str]) -> bool:
    words = re.findall("[\u0e00-\u0e7f]+", text[: 20 * _FIRST])
    return bool(words) and all(map(_THAI_WORD.fullmatch, words))


def _western(text: str, strange: Sequence[str]) -> bool:
    accented = sum(1 for letter in strange if _ACCENTED.match(letter))
    marked = sum(len(found) - 1 for found in _MARKED_WORD.findall(text[: 20 * _FIRST]))
    plain = len(re.findall("[A-Za-z]", text[: 20 * _FIRST]))
    return accented >= 0.7 * len(strange) and marked >= 0.6 * accented and plain >= 2 * accented


CHINESE = Reading("gb18030", "Chinese (GB18030)", _chinese)
"""The one that is read."""

READINGS = (
    CHINESE,
    Reading("big5", "Chinese (Big5)", _taiwanese),
    Reading("cp949", "Korean (CP949)", _korean),
    Reading("euc_jp", "Japanese (EUC-JP)", _japanese),
    Reading("cp932", "Japanese (Shift-JIS)", _japanese),
    Reading("cp1251", "Cyrillic (Windows-1251)", _cyrillic, wide=False),
    Reading("koi8_r", "Cyrillic (KOI8-R)", _cyrillic, wide=False),
    Reading("cp874", "Thai (Windows-874)", _thai, wide=False),
    Reading("cp1252", "Western (Windows-1252)", _western, wide=False),
    Reading("mac_roman", "Western (MacRoman)", _western, wide=False),
    Reading("cp1250", "Central European (Windows-1250)", _western, wide=False),
)
"""The encodings that are looked for; the most usual come first."""
