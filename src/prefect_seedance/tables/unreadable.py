"""Cells that a reader of a format cannot read as the user sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from prefect_seedance.messages import Message, message

__all__ = ["UnreadableCell", "unreadable_text"]


@dataclass(frozen=True, slots=True)
class UnreadableCell:
    """Stands in a sheet in the place of a cell whose content is not what the user sees.

    In a known column it is a problem of its row; in a column of the user's own it is only its text.

    Attributes:
        text: What the user sees, such as `#REF!`.
        problem: Why it cannot be used, and what to do.
    """

    text: str
    problem: Message

    def __str__(self) -> str:
        return self.text


_LONGEST = 8192
"""Characters of a formula in a spreadsheet."""

_LONGEST_ERROR = 40

# `#REF!` and `#NAME?` in every language: capital letters with a mark at the end. `####` is a column that is too narrow.
_ERROR_VALUE = re.compile(r"#[¡¿]?[^\W\d_][\w/'’]*[!?]|#{2,}")
_ERROR_WORDS = frozenset(
    {
        *("#n/a", "#n/a n/a", "#na", "#null", "#nv", "#n/d", "#n/b", "#i/t", "#yok", "#н/д", "#hiányzik"),
        *("#není_k_dispozici", "#saknas", "#puuttuu", "#getting_data", "#daten_abrufen", "#obteniendo_datos"),
        *("#chargement_donnees", "#загрузка_данных", "#ref", "#value", "#name", "#div/0", "#spill", "#calc"),
        *("#ref!", "#value!", "#name?", "#num!", "#div/0!", "#null!", "#n/a!", "#spill!", "#calc!", "#error!"),
        *("#saknas!", "#skärning!", "#värdefel!", "#referens!", "#namn?", "#ogiltigt!"),
        # A cell whose value was not there yet when the table was saved.
        *("loading...", "loading…", "wird geladen...", "wird geladen…", "chargement...", "chargement…", "cargando..."),
        *("cargando…", "carregando...", "carregando…", "caricamento...", "caricamento…", "загрузка...", "загрузка…"),
        *(
            "正在加载...",
            "正在加载…",
            "加载中...",
            "加载中…",
            "正在載入...",
            "正在載入…",
            "読み込み中...",
            "読み込み中…",
        ),
        *("読み込んでいます...", "読み込んでいます…", "로드 중...", "로드 중…", "로드하는 중...", "로드하는 중…"),
    }
)
# LibreOffice: `Err:502`, `Error 502`, `Fehler:502`.
_ERROR_NUMBER = re.compile(r"(?:err|error|fehler|erreur|errore|erro|ошибка|ош|错误|錯誤|エラー|오류)\s*[:：]?\s*5\d\d")

# A formula calls a function, or calculates with cells, numbers or texts. `=cat` and `= a cat` are the user's own words.
_CELL = r"(?:(?:'[^'\n]+'|\[[^\]\n]+\]\w*|\w+)!)?\$?[A-Za-z]{1,3}\$?\d{1,7}"
_OPERAND = rf"(?:\w+\[[^\]\n]+\]|\[[^\]\n]+\]|{_CELL}|\d+(?:\.\d+)?|\"[^\"]*\")"
_FORMULA = re.compile(
    rf"=[-+@({{\s]*(?:(?:_\w+\.)*[A-Z][A-Z0-9._]*\(|(?:TRUE|FALSE)\Z|[A-Za-z][A-Za-z0-9._]*\(.*\)\Z|{_OPERAND}\s*(?:[-+*/^&<>=%:!,;)]|\Z)"
    rf"|\w+\s*&\s*{_OPERAND})",
    re.DOTALL,
)


def unreadable_text(text: str) -> Message | None:
    """Why a cell of text is not what the user sees: an error of a spreadsheet, or a formula; else None.

    The whole cell must be one: a prompt may contain `#1`, and hashtags.

    Args:
        text: The cell, without spaces around it.
    """
    if text.startswith("{=") and text.endswith("}"):
        text = text[1:-1]  # an array formula
    if text.startswith("="):
        return message("cell.formula") if len(text) <= _LONGEST and _FORMULA.match(text) else None
    if len(text) > _LONGEST_ERROR:
        return None
    folded = text.casefold()
    capital = text == text.upper() != text.lower() or text.startswith("##")
    if (capital and _ERROR_VALUE.fullmatch(text)) or folded in _ERROR_WORDS or _ERROR_NUMBER.fullmatch(folded):
        return message("cell.error_text")
    return None
