"""The line rule of C4, as datatrove applies it."""

from __future__ import annotations

from cleanfeed.evaluation.markup import kept_in
from cleanfeed.evaluation.systems import Bench, Keep, Peer


def load(bench: Bench) -> Keep:
    """The filter with its rules for lines alone: those that reject whole documents are off, lines stay verbatim."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import C4QualityFilter

    rule = C4QualityFilter(
        min_num_sentences=-1, filter_lorem_ipsum=False, filter_curly_bracket=False, remove_citations=False
    )

    def keep(lines: list[str], lang: str | None) -> list[bool]:
        document = Document(text="\n".join(lines), id="")
        passed = rule.filter(document)
        return kept_in(lines, document.text if passed is True else "")

    return keep


PEERS = [Peer("c4", "C4's rule for lines, by datatrove", "datatrove", keep=load)]
