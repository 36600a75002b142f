"""datatrove: a formatter that cleans, and a filter for documents of which too little is left."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from cleanfeed.cleaner import Cleaner
from cleanfeed.engines import clean_values, in_blocks, need

# datatrove sends its steps to other processes by name, so the classes stand at the top and the import with them.
_formatters: Any = need("datatrove.pipeline.formatters.base", "datatrove")
_filters: Any = need("datatrove.pipeline.filters.base_filter", "datatrove")


class CleanFormatter(_formatters.BaseFormatter):  # type: ignore[misc]
    """Cleans the text of documents, many at once.

    Its statistics count documents (``total``), those that lost lines (``changed``), dropped lines by label
    (``dropped_lines_teaser``, ...), dropped characters (``dropped_characters``) and texts that could not be cleaned and
    stay as they are (``bad_value``). A document without a text (None) stays so.

    Args:
        labels: Count dropped lines by label; takes about three times as long.
        share: Write the share of characters that stayed into this field of the document's metadata, for
            :class:`EnoughLeft`.
        model: As for :class:`cleanfeed.Cleaner`; a path must exist on every node.
        threshold: As there.
        drop: As there.
    """

    name = "🧹 cleanfeed"

    def __init__(
        self,
        *,
        labels: bool = True,
        share: str | None = None,
        model: str = "default",
        threshold: float | None = None,
        drop: Collection[str] | None = None,
    ) -> None:
        super().__init__()
        self.labels, self.share = labels, share
        self.cleaner = Cleaner(model, threshold=threshold, drop=drop)

    def format(self, text: str) -> str:
        """One text, cleaned."""
        return self.cleaner.clean(text)

    def run(self, data: Iterable[Any], rank: int = 0, world_size: int = 1) -> Iterator[Any]:  # noqa: ARG002
        """Clean documents, in order."""
        for block in in_blocks(data, lambda document: _length(document.text)):
            with self.track_time("block"):
                cleaned = clean_values(self.cleaner, [document.text for document in block], explained=self.labels)
                for document, text, bad, lines in zip(block, cleaned.values, cleaned.bad, cleaned.lines, strict=True):
                    self._count(document.text, text, bad, lines)
                    if self.share is not None:
                        document.metadata[self.share] = _length(text) / max(_length(document.text), 1)
                    document.text = text
            yield from block

    def _count(self, before: Any, after: Any, bad: bool, lines: list[Any]) -> None:
        self.stat_update("total")
        if bad:
            self.stat_update("bad_value")
        elif before != after:
            self.stat_update("changed")
            self.stat_update("dropped_characters", value=len(before) - len(after))
        for line in lines:
            if line.dropped and line.label != "blank":
                self.stat_update(f"dropped_lines_{line.label}")


class EnoughLeft(_filters.BaseFilter):  # type: ignore[misc]
    """Drops documents of which too little is left after :class:`CleanFormatter`.

    Args:
        min_characters: A document must have so many that are not white space.
        min_share: This share of its characters must have stayed.
        share: Where :class:`CleanFormatter` wrote that share.
        exclusion_writer: Takes the dropped documents, as with every filter of datatrove.
    """

    name = "🧹 enough left"

    def __init__(
        self,
        min_characters: int = 200,
        min_share: float = 0.0,
        *,
        share: str = "share_left",
        exclusion_writer: Any = None,
    ) -> None:
        super().__init__(exclusion_writer)
        self.min_characters, self.min_share, self.share = min_characters, min_share, share

    def filter(self, doc: Any) -> bool | tuple[bool, str]:
        """Whether the document stays, else why not.

        Raises:
            KeyError: A share is asked for, and the document has none.
        """
        text = doc.text if isinstance(doc.text, str) else ""
        if len(text) < self.min_characters or len("".join(text.split())) < self.min_characters:
            return False, "too_little_text"
        if self.min_share and doc.metadata[self.share] < self.min_share:
            return False, "too_little_left"
        return True


def text_adapter(reader: Any, data: dict[str, Any], path: str, id_in_file: int | str) -> dict[str, Any]:
    """For ``JsonlReader(…, adapter=text_adapter)``: a number where a text should be is read as text, as Spark does.

    Without it datatrove's reader fails on such a record, and the task with it.
    """
    value = data.get(reader.text_key)
    if value is not None and not isinstance(value, str):
        data[reader.text_key] = json.dumps(value, ensure_ascii=False)
    record: dict[str, Any] = reader._default_adapter(data, path, id_in_file)
    return record


def _length(text: Any) -> int:
    return len(text) if isinstance(text, str) else 0
