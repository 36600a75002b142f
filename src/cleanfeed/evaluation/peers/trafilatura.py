"""trafilatura in its default and its precision mode, over lines as paragraphs."""

from __future__ import annotations

from functools import partial

from cleanfeed.evaluation.markup import as_page, kept_in
from cleanfeed.evaluation.systems import Bench, Keep, Peer


def load(precision: bool, bench: Bench) -> Keep:
    """Without comments; everything else as it comes."""
    from trafilatura import extract

    def keep(lines: list[str], lang: str | None) -> list[bool]:
        page = as_page(lines, lang)
        return kept_in(lines, extract(page, favor_precision=precision, include_comments=False))

    return keep


PEERS = [
    Peer("trafilatura", "page extractor", "trafilatura", keep=partial(load, False)),
    Peer("trafilatura-precision", "page extractor, precision mode", "trafilatura", keep=partial(load, True)),
]
