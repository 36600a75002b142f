"""jusText with the stop list of the document's language."""

from __future__ import annotations

from functools import lru_cache

from cleanfeed.evaluation.markup import as_page, kept_in
from cleanfeed.evaluation.systems import Bench, Keep, Peer

STOP_LISTS = {"no": "Norwegian_Bokmal", "nb": "Norwegian_Bokmal", "nn": "Norwegian_Nynorsk", "pnb": "Western_Panjabi"}
"""Where jusText's name for a stop list is not the language's English name."""


def load(bench: Bench) -> Keep:
    """A language without a stop list (Chinese, Japanese, Thai, …) gets jusText's language-independent mode."""
    import justext
    from babel import Locale, UnknownLocaleError

    available = justext.get_stoplists()

    @lru_cache
    def stop_words(lang: str | None) -> frozenset[str]:
        try:
            english = Locale.parse(lang).get_language_name("en") if lang else None
        except (UnknownLocaleError, ValueError):
            english = None
        name = STOP_LISTS.get(lang or "", (english or "").replace(" ", "_"))
        return justext.get_stoplist(name) if name in available else frozenset()

    def keep(lines: list[str], lang: str | None) -> list[bool]:
        words = stop_words(lang)
        asked = {} if words else {"stopwords_low": 0, "stopwords_high": 0}
        paragraphs = justext.justext(as_page(lines, lang).encode(), words, encoding="utf-8", **asked)
        return kept_in(lines, "\n".join(paragraph.text for paragraph in paragraphs if not paragraph.is_boilerplate))

    return keep


PEERS = [Peer("justext", "stop words, length and neighbours", "jusText", keep=load)]
