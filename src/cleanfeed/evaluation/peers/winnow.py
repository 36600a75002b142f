"""winnow-md, which takes boilerplate blocks out of Markdown; here each line is a block."""

from __future__ import annotations

from cleanfeed.evaluation.markup import kept_in
from cleanfeed.evaluation.systems import Bench, Keep, Peer


def load(bench: Bench) -> Keep:
    """One page at a time, without its memory of a site's other pages."""
    import winnow

    return lambda lines, lang: kept_in(lines, winnow.clean("\n\n".join(lines)).markdown)


PEERS = [Peer("winnow-md", "rules for Markdown blocks", "winnow-md", keep=load)]
