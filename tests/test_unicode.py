"""The stored tables are what the patterns say, and the patterns are what Unicode says."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
import pytest

from cleanfeed.unicode import ARABIC_FOLDING, CLASSES, LIMIT, N_CLASSES, SCRIPTS, SPACED, derive, tables

#: Characters that all supported versions of Python know (Unicode 13.0).
ASSIGNED = [code for code in range(LIMIT) if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")]
NAMES = np.array(list(CLASSES))


def test_stored_tables_are_derived() -> None:
    """The tables in the package are those that the patterns give, for every character known to both Unicode versions."""
    stored, derived = tables(), derive()
    assert (stored.classes[ASSIGNED] == derived.classes[ASSIGNED]).mean() > 0.999
    assert (stored.folded[ASSIGNED] == derived.folded[ASSIGNED]).mean() > 0.9999


def test_there_are_as_many_classes_as_fit() -> None:
    """Classes fit the width that histograms give them."""
    assert len(CLASSES) <= N_CLASSES
    assert set(SPACED) | set(SCRIPTS) <= set(CLASSES)


@pytest.mark.parametrize(
    ("categories", "classes"),
    [
        ({"Nd"}, {"digit"}),
        ({"Lu", "Lt"}, {"upper", *SCRIPTS, "letter"}),
        ({"Ll", "Lo", "Lm"}, {"letter", *SCRIPTS, "invisible"}),
        ({"Zs", "Zl", "Zp"}, {"space"}),
        ({"Ps", "Pe"}, {"bracket", "quote", "punctuation"}),
    ],
)
def test_classes_agree_with_categories(categories: set[str], classes: set[str]) -> None:
    """Every character of a general category stands in a class that may hold it."""
    members = [code for code in ASSIGNED if unicodedata.category(chr(code)) in categories]
    found = set(NAMES[tables().classes[members]])
    assert found <= classes, {chr(c) for c in members if NAMES[tables().classes[c]] not in classes}


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\N{ARABIC QUESTION MARK}", "question"), ("\N{ARABIC FULL STOP}", "stop"), ("\N{DEVANAGARI DANDA}", "stop"),
        ("\N{IDEOGRAPHIC FULL STOP}", "stop"), ("\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}", "quote"),
        ("\N{ARABIC TATWEEL}", "invisible"), ("\N{ARABIC FATHA}", "invisible"), ("\N{RIGHT-TO-LEFT MARK}", "invisible"),
        ("\N{ARABIC LETTER BEH}", "arabic"), ("\N{HEBREW LETTER BET}", "hebrew"), ("\N{THAI CHARACTER KO KAI}", "unspaced"),
        ("\N{HANGUL SYLLABLE GA}", "hangul"), ("\N{HIRAGANA LETTER KA}", "ideograph"), ("\N{GRINNING FACE}", "emoji"),
        ("\N{BULLET}", "bullet"), ("|", "bar"), ("\N{COPYRIGHT SIGN}", "legal"), ("\N{EM DASH}", "dash"),
        ("\N{ARABIC COMMA}", "comma"), ("\N{HORIZONTAL ELLIPSIS}", "ellipsis"), ("\N{EXTENDED ARABIC-INDIC DIGIT THREE}", "digit"),
    ],
)  # fmt: skip
def test_single_characters(character: str, name: str) -> None:
    """Characters that decide lines stand in the class one expects."""
    assert NAMES[tables().classes[ord(character)]] == name


def test_folding() -> None:
    """Case is folded, Arabic letters that writers interchange are one, every digit is the digit zero."""
    folded = tables().folded
    assert folded[ord("É")] == ord("é")
    assert all(folded[ord(letter)] == ord(stand_in) for letter, stand_in in ARABIC_FOLDING.items())
    assert all(folded[code] == ord("0") for code in range(LIMIT) if chr(code).isdecimal() and code in ASSIGNED)


def test_above_the_limit() -> None:
    """Every code point has an entry: those above the tables share the last."""
    assert len(tables().classes) == LIMIT + 1
    assert NAMES[tables().classes.take([sys.maxunicode], mode="clip")[0]] == "ideograph"
