"""Resiliparse's main-content extraction, over lines as paragraphs."""

from __future__ import annotations

from cleanfeed.evaluation.markup import as_page, kept_in
from cleanfeed.evaluation.systems import Bench, Keep, Peer


def load(bench: Bench) -> Keep:
    """Main content only."""
    from resiliparse.extract.html2text import extract_plain_text

    return lambda lines, lang: kept_in(lines, extract_plain_text(as_page(lines, lang), main_content=True))


PEERS = [Peer("resiliparse", "fast page extractor", "resiliparse", keep=load)]
