"""Splitting and joining of lines."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cleanfeed.lines import block_of, join_kept, split
from strategies import text


def plain_split(source: str) -> list[tuple[int, int]]:
    """The same lines, found one character after the other."""
    found, at, start = [], 0, 0
    while at < len(source):
        if source[at] in "\r\n":
            found.append((start, at))
            at += 2 if source[at : at + 2] == "\r\n" else 1
            start = at
        else:
            at += 1
    return [*found, (start, len(source))] if start < len(source) else found


@given(st.lists(text | st.text(alphabet="a\r\n ", max_size=12), max_size=5))
def test_split_is_the_plain_split(sources: list[str]) -> None:
    """Lines of several texts at once are the lines of each, wherever one text ends and the next begins."""
    block = block_of(sources)
    found: list[list[tuple[int, int]]] = [[] for _ in sources]
    for text_number, start, end in zip(block.text_of_line, block.starts, block.ends, strict=True):
        offset = int(block.text_starts[text_number])
        found[text_number].append((int(start) - offset, int(end) - offset))
    assert found == [plain_split(source) for source in sources]


@given(text, st.data())
def test_join_is_lossless(source: str, data: st.DataObject) -> None:
    """Kept lines are joined verbatim, each with its terminator."""
    starts, _ = split(source)
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(starts), max_size=len(starts))), bool)
    bounds = [*starts.tolist(), len(source)]
    expected = "".join(source[a:b] for a, b, keep in zip(bounds, bounds[1:], kept, strict=False) if keep)
    assert join_kept(source, starts, kept) == expected
