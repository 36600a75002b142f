"""Texts as hostile as the web: scripts mixed, every kind of line end, controls, lone surrogates."""

from __future__ import annotations

from hypothesis import strategies as st

_SNIPPETS = [
    "", " ", "\t", "\x00", "\ufeff", "\u200f", "\u2028", "\x85", "\u202e", "\ud800", "\udfff", "\U0001f600", "\U00020000",
    "اقرأ أيضا:", "قال الوزير إن الاتفاق سيوقع غدا.", "Read also: ten things you did not know", "The minister spoke.",
    "शेयर करें", "今天天气很好。", "อ่านข่าวนี้", "Читайте также", "12:30", "|---|---|", "• one", "© 2025", "https://a.b/c",
    "word " * 60, "字" * 300, "а" * 700, "\u064b\u0640",
]  # fmt: skip
_ENDS = ["\n", "\r\n", "\r", "\n\n", "\n \n", "\u2028", ""]

line = st.lists(st.sampled_from(_SNIPPETS), max_size=4).map("".join) | st.text(max_size=40)
"""One line or something that may hold several."""

text = st.lists(st.tuples(line, st.sampled_from(_ENDS)).map("".join), max_size=12).map("".join)
"""A text of up to some dozens of lines."""
