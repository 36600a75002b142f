"""A report's blocks as one HTML page, with the mistakes behind them."""

from __future__ import annotations

from collections.abc import Sequence

from cleanfeed.evaluation import mistakes_html
from cleanfeed.evaluation.mistakes import Mistakes
from cleanfeed.evaluation.report import Block
from cleanfeed.reporting.page import closing, opening, table, text


def to_html(found: Sequence[Block], title: str, mistakes: Sequence[Mistakes] = ()) -> str:
    """Blocks as one HTML page that needs no other file; pictures are SVG text and are put in as they are."""
    parts = [opening(title, skip_to="To the mistakes" if mistakes else ""), f"<main>\n<h1>{text(title)}</h1>"]
    parts += map(_block, found)
    if mistakes:
        parts.append(mistakes_html.browser(mistakes))
    return "\n".join([*parts, f"</main>\n{closing(filtered=bool(mistakes))}"])


def _block(block: Block) -> str:
    match block.kind:
        case "heading" | "subheading":
            tag = "h2" if block.kind == "heading" else "h3"
            return f'<{tag} dir="auto">{text(block.text)}</{tag}>'
        case "list":
            return f"<ul>{''.join(f'<li dir=auto>{text(row[0])}</li>' for row in block.rows)}</ul>"
        case "table":
            head, *rows = block.rows
            return table(head, f"<tbody>{''.join(map(_row, rows))}</tbody>")
        case "picture":
            address = block.rows[0][0]
            return f"<figure>{address[address.index('<svg') :]}<figcaption>{text(block.text)}</figcaption></figure>"
        case _:
            return f'<p dir="auto">{text(block.text)}</p>'


def _row(cells: Sequence[str]) -> str:
    """A row of figures under the name in its first cell; each cell has the direction of its own text."""
    name, *others = cells
    figures = "".join(f'<td dir="auto">{text(cell)}</td>' for cell in others)
    return f'<tr><th scope="row" dir="auto">{text(name)}</th>{figures}</tr>'
