"""Class and folding tables over code points.

Every table is an array indexed by code point and clipped at :data:`LIMIT`: planes 0 and 1 are spelled out, all that
lies above (ideographs of planes 2 and 3, private use) shares the last entry and counts as an ideograph. 131,073
entries of one byte stay in the second-level cache, where a table of all 1,114,112 code points would not.

Classes are Unicode properties, written as patterns of the `regex` package. Matching them takes 0.1 s, so the result is
stored beside this module (``unicode.npz``, written by :func:`store`) and re-derived in
``tests/test_unicode.py``: a run neither waits for it nor depends on the Unicode version of the installed `regex`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LIMIT = 0x20000
STORED = Path(__file__).with_name("unicode.npz")

#: Name → pattern, later rows override earlier ones. The order is the class number.
CLASSES: dict[str, str] = {
    "other": r".",
    "space": r"[\s\p{Zs}\p{Zl}\p{Zp}\p{Cc}\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}]",
    "letter": r"[\p{L}\p{M}\p{Nl}]",
    "upper": r"[\p{Lu}\p{Lt}]",
    "latin": r"[\p{Script=Latin}&&\p{L}&&[^\p{Lu}]]",
    "cyrillic": r"[\p{Script=Cyrillic}&&\p{L}&&[^\p{Lu}]]",
    "greek": r"[\p{Script=Greek}&&\p{L}&&[^\p{Lu}]]",
    "arabic": r"[\p{Script=Arabic}&&\p{L}]",
    "hebrew": r"[\p{Script=Hebrew}&&\p{L}]",
    "indic": (
        r"[[\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}"
        r"\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}]&&[\p{L}\p{M}]]"
    ),
    "hangul": r"[\p{Script=Hangul}&&\p{L}]",
    "ideograph": (
        r"[[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}]&&\p{L}]"
        r"|[\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}\N{IDEOGRAPHIC ITERATION MARK}]"
    ),
    # Scripts written without spaces between words; a line of them is read as overlapping pieces.
    "unspaced": r"[[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]&&[\p{L}\p{M}]]",
    "digit": r"[\p{Nd}\p{No}]",
    "punctuation": r"\p{P}",
    "symbol": r"[\p{S}]",
    "emoji": r"[\p{Extended_Pictographic}&&[^\p{ASCII}]&&[^\p{L}]&&[^\N{COPYRIGHT SIGN}\N{REGISTERED SIGN}\N{TRADE MARK SIGN}]]",
    "quote": r"[\p{Quotation_Mark}]",
    "bracket": r"[\p{Ps}\p{Pe}]",
    "dash": r"[\p{Dash}&&\p{P}]",
    "comma": (
        r"[,;\N{ARABIC COMMA}\N{ARABIC SEMICOLON}\N{IDEOGRAPHIC COMMA}\N{FULLWIDTH COMMA}\N{FULLWIDTH SEMICOLON}"
        r"\N{GREEK ANO TELEIA}]"
    ),
    "colon": r"[:\N{FULLWIDTH COLON}]",
    "stop": r"[\p{Sentence_Terminal}&&[^?!\N{ARABIC QUESTION MARK}\N{FULLWIDTH QUESTION MARK}\N{FULLWIDTH EXCLAMATION MARK}]]",
    "exclamation": r"[!\N{FULLWIDTH EXCLAMATION MARK}\N{DOUBLE EXCLAMATION MARK}\N{INVERTED EXCLAMATION MARK}]",
    "question": (
        r"[?\N{ARABIC QUESTION MARK}\N{FULLWIDTH QUESTION MARK}\N{GREEK QUESTION MARK}\N{INVERTED QUESTION MARK}"
        r"\N{ETHIOPIC QUESTION MARK}\N{ARMENIAN QUESTION MARK}]"
    ),
    "ellipsis": r"[\N{HORIZONTAL ELLIPSIS}\N{MIDLINE HORIZONTAL ELLIPSIS}\N{TWO DOT LEADER}]",
    "bullet": (
        r"[\N{BULLET}\N{MIDDLE DOT}\N{BLACK SMALL SQUARE}\N{BLACK SQUARE}\N{WHITE SQUARE}\N{BLACK CIRCLE}\N{WHITE CIRCLE}"
        r"\N{TRIANGULAR BULLET}\N{WHITE BULLET}\N{HYPHEN BULLET}\N{BLACK DIAMOND}\N{KATAKANA MIDDLE DOT}*]"
    ),
    "arrow": (
        r"[\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
        r"\N{LEFTWARDS ARROW}-\N{DOWNWARDS ARROW}"
        r"\N{RIGHTWARDS DOUBLE ARROW}\N{BLACK RIGHT-POINTING TRIANGLE}\N{BLACK RIGHT-POINTING POINTER}"
        r"\N{BLACK LEFT-POINTING TRIANGLE}\N{BLACK DOWN-POINTING TRIANGLE}\N{BLACK UP-POINTING TRIANGLE}<>]"
    ),
    "bar": r"[|\N{BROKEN BAR}\N{BOX DRAWINGS LIGHT VERTICAL}\N{FULLWIDTH VERTICAL LINE}\N{DIVIDES}]",
    "link": r"[@#/\\_=&~\N{FULLWIDTH NUMBER SIGN}]",
    # Read as if they were not there: vowel signs of Arabic and Hebrew, joiners, bidi controls.
    "invisible": (
        r"[\N{ARABIC FATHATAN}-\N{ARABIC SUKUN}\N{ARABIC LETTER SUPERSCRIPT ALEF}\N{ARABIC TATWEEL}"
        r"\N{HEBREW ACCENT ETNAHTA}-\N{HEBREW POINT METEG}\N{SOFT HYPHEN}\N{ZERO WIDTH NON-JOINER}-\N{RIGHT-TO-LEFT MARK}"
        r"\N{LEFT-TO-RIGHT EMBEDDING}-\N{RIGHT-TO-LEFT OVERRIDE}\N{WORD JOINER}\N{LEFT-TO-RIGHT ISOLATE}-"
        r"\N{POP DIRECTIONAL ISOLATE}\N{VARIATION SELECTOR-1}-\N{VARIATION SELECTOR-16}]"
    ),
    "legal": r"[\N{COPYRIGHT SIGN}\N{REGISTERED SIGN}\N{TRADE MARK SIGN}]",
}
CLASS = {name: number for number, name in enumerate(CLASSES)}
N_CLASSES = 32  # a power of two, so that (line, class) is a shift

#: Classes whose members make words, by the way their words are cut.
SPACED = ("letter", "upper", "latin", "cyrillic", "greek", "arabic", "hebrew", "indic", "hangul", "digit")
SCRIPTS = ("latin", "cyrillic", "greek", "arabic", "hebrew", "indic", "hangul", "ideograph", "unspaced")

#: Letters that writers of Arabic script interchange freely, with the one that stands for all of them.
ARABIC_FOLDING = {
    "\N{ARABIC LETTER ALEF WITH HAMZA ABOVE}": "\N{ARABIC LETTER ALEF}",
    "\N{ARABIC LETTER ALEF WITH HAMZA BELOW}": "\N{ARABIC LETTER ALEF}",
    "\N{ARABIC LETTER ALEF WITH MADDA ABOVE}": "\N{ARABIC LETTER ALEF}",
    "\N{ARABIC LETTER ALEF WASLA}": "\N{ARABIC LETTER ALEF}",
    "\N{ARABIC LETTER ALEF MAKSURA}": "\N{ARABIC LETTER YEH}",
    "\N{ARABIC LETTER FARSI YEH}": "\N{ARABIC LETTER YEH}",
    "\N{ARABIC LETTER KEHEH}": "\N{ARABIC LETTER KAF}",
    "\N{ARABIC LETTER TEH MARBUTA}": "\N{ARABIC LETTER HEH}",
}


class Tables(NamedTuple):
    """Arrays of ``LIMIT + 1`` entries, indexed by code point (clip the index)."""

    classes: npt.NDArray[np.uint8]
    """Number of the class, see :data:`CLASS`."""
    folded: npt.NDArray[np.uint32]
    """Code point after lower-casing and Arabic folding; every digit is ``0``."""


def _members(pattern: str, every: str) -> npt.NDArray[np.intp]:
    """Code points below :data:`LIMIT` that ``pattern`` matches."""
    import regex

    spans = [match.span() for match in regex.finditer(f"(?V1)(?:{pattern})+", every, regex.DOTALL)]
    return np.concatenate([np.arange(start, end) for start, end in spans] or [np.zeros(0, np.intp)])


def derive() -> Tables:
    """Work the tables out from the patterns (0.1 s)."""
    # Surrogates cannot be matched by regex; a stand-in that is in no class but "other" takes their place.
    every = "".join(chr(code) if not 0xD800 <= code <= 0xDFFF else "\N{REPLACEMENT CHARACTER}" for code in range(LIMIT))
    classes = np.zeros(LIMIT + 1, np.uint8)
    for number, pattern in enumerate(CLASSES.values()):
        if number:
            classes[_members(pattern, every)] = number
    classes[0xD800:0xE000] = CLASS["other"]
    classes[LIMIT] = CLASS["ideograph"]
    folded = np.arange(LIMIT + 1, dtype=np.uint32)
    for code in _members(r"[\p{Lu}\p{Lt}]", every):
        folded[code] = ord(chr(code).lower()[0])
    for letter, stand_in in ARABIC_FOLDING.items():
        folded[ord(letter)] = ord(stand_in)
    folded[classes == CLASS["digit"]] = ord("0")
    return Tables(classes, folded)


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The stored tables, read once per process."""
    with np.load(STORED, allow_pickle=False) as stored:
        # The shift from a code point to its folded form is nearly all zeros: 5 kB where the forms take 180 kB.
        folded = (np.arange(LIMIT + 1) + stored["fold"]).astype(np.uint32)
        return Tables(stored["classes"], folded)


def store() -> None:
    """Write the derived tables into the package (`make unicode`)."""
    derived = derive()
    fold = derived.folded.astype(np.int32) - np.arange(LIMIT + 1, dtype=np.int32)
    np.savez_compressed(STORED, classes=derived.classes, fold=fold)
