"""boilerpy3: two extractors of boilerpipe."""

from __future__ import annotations

from functools import partial

from cleanfeed.evaluation.markup import as_page, kept_in
from cleanfeed.evaluation.systems import Bench, Keep, Peer


def load(extractor: str, bench: Bench) -> Keep:
    """One of its extractors, by class name."""
    from boilerpy3 import extractors

    tool = getattr(extractors, extractor)()
    return lambda lines, lang: kept_in(lines, tool.get_content(as_page(lines, lang)))


PEERS = [
    Peer("boilerpy3-article", "shallow text features, for news", "boilerpy3", keep=partial(load, "ArticleExtractor")),
    Peer("boilerpy3-default", "shallow text features", "boilerpy3", keep=partial(load, "DefaultExtractor")),
]
