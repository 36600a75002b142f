"""Composed documents: an article and the lines that real pages put before, into and behind it.

What is drawn is meant to make every shortcut fail: tails end in full stops, question marks and quotation marks; bodies
end in lists, tables, verses and signatures; sub-headings look like headlines; tails are about the article's subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import regex

from cleanfeed.training.corpus import BODY, BOILERPLATE, META, TEASER, Document
from cleanfeed.training.sources import Article, Pool, same_subject

Styler = Callable[[str, int, Random], str]
Block = list[tuple[str, int]]

_DATES = (
    "{d:02d}/{m:02d}/{y}", "{y}-{m:02d}-{d:02d}", "{d}.{m}.{y}", "{d:02d}.{m:02d}.{y} {h:02d}:{n:02d}", "{h:02d}:{n:02d}",
    "{d:02d}-{m:02d}-{y}", "{y}/{m:02d}/{d:02d} - {h:02d}:{n:02d}",
)  # fmt: skip


def _date(rng: Random) -> str:
    return rng.choice(_DATES).format(
        d=rng.randint(1, 28), m=rng.randint(1, 12), y=rng.randint(2008, 2026), h=rng.randint(0, 23), n=rng.randint(0, 59)
    )


def _truncate(text: str, _number: int, rng: Random) -> str:
    return text[: rng.randint(max(12, len(text) // 2), max(13, len(text) - 3))].rstrip() + rng.choice(("...", "…", " ..."))


#: One style is drawn per block of headlines. ``number`` counts its headlines from 0.
STYLES: dict[str, Styler] = {
    "plain": lambda text, number, rng: text,
    "plain again": lambda text, number, rng: text,
    "mixed": lambda text, number, rng: rng.choice(list(STYLES.values())[3:])(text, number, rng) if rng.random() < 0.4 else text,
    "guillemets": lambda text, number, rng: f"«{text}»" if rng.random() < 0.5 else text.replace(":", " »", 1),
    "quoted start": lambda text, number, rng: "«" + text.replace(" ", "» ", 1) if " " in text else text,
    "full stop": lambda text, number, rng: text.rstrip(".") + ".",
    "question": lambda text, number, rng: text.rstrip("?؟.") + ("؟" if "\u0600" <= text[-1] <= "\u06ff" else "?"),
    "exclamation": lambda text, number, rng: text.rstrip("!.") + rng.choice(("!", "!!", ".. !")),
    "ellipsis": lambda text, number, rng: text + rng.choice(("...", "…", "..")),
    "truncated": _truncate,
    "numbered": lambda text, number, rng: f"{number + 1}{rng.choice(('.', ')', ' -', ''))} {text}",
    "bullet": lambda text, number, rng: f"{rng.choice('•-*·–')} {text}",
    "arrow": lambda text, number, rng: f"{rng.choice('›»>')} {text}",
    "date before": lambda text, number, rng: f"{_date(rng)}{rng.choice((' ', ' - ', ' | '))}{text}",
    "date behind": lambda text, number, rng: f"{text}{rng.choice((' ', ' - ', ''))}{_date(rng)}",
    "count behind": lambda text, number, rng: f"{text} ({rng.randint(0, 400)})",
    "comments": lambda text, number, rng: f"{text} {rng.randint(0, 99)}",
    "upper": lambda text, number, rng: text.upper(),
    "glued": lambda text, number, rng: text + "#" if rng.random() < 0.2 else text,
}
#: Share of listings. A page whose purpose is its list has the list for its content; taken for the tail of an article, such
#: pages held 30 of the 40 longest body lines lost on general pages. At 0.04 more tails were taken for lists.
LISTINGS = 0.008
CLAUSE_END = regex.compile(r"[،,;:.!?؟。、，]\s*")
_CATEGORY_SEPARATORS = (" | ", ": ", " - ", " » ")


class Composer:
    """Draws documents of one language.

    Args:
        pool: Articles, headlines and strings of the language.
        lang: Its code, as in the data.
        seed: Seed of everything drawn.
        listings: Share of documents that are lists of headlines and nothing else.
    """

    def __init__(self, pool: Pool, lang: str, seed: int, listings: float = LISTINGS) -> None:
        self.pool, self.lang, self.listings = pool, lang, listings
        self.rng = Random(f"{lang}:{seed}")

    def documents(self, count: int) -> Iterator[Document]:
        """Yield ``count`` documents, articles in random order, used again only when all were."""
        articles: list[Article] = []
        for number in range(count):
            if not articles:
                articles = [article for article in self.pool.articles if article.paragraphs]
                self.rng.shuffle(articles)
            yield self._document(articles.pop(), number)

    def _document(self, article: Article, number: int) -> Document:
        rng = self.rng
        traits: list[str] = []
        kind = rng.random()
        if kind < 0.02:
            block, traits = self._furniture(rng.randint(2, 15)), ["no article"]
        elif kind < 0.02 + self.listings:
            block, traits = self._listing(article), ["listing"]
        else:
            block = self._body(article, traits)
            if rng.random() < 0.36:
                traits.append("clean")
            else:
                block = self._surround(block, article, traits)
        lines, labels = zip(*block, strict=True)
        source = f"composed:{article.source}"
        return Document(source, f"{source}:{self.lang}:{number}", self.lang, "composed", list(lines), list(labels), traits=traits)

    # --- the article ---

    def _body(self, article: Article, traits: list[str]) -> Block:
        rng = self.rng
        paragraphs = article.paragraphs[:]
        if rng.random() < 0.18:
            paragraphs = paragraphs[: rng.randint(1, 2)]
            traits.append("short")
        elif len(paragraphs) > 25:
            paragraphs = paragraphs[: rng.randint(12, 40)]
        if rng.random() < 0.12 and len(paragraphs) > 1:
            # A crawl keeps one paragraph of several sentences as often as it keeps one sentence a line.
            at = rng.randrange(len(paragraphs) - 1)
            paragraphs[at : at + 2] = [paragraphs[at] + rng.choice((" ", "")) + paragraphs[at + 1]]
        block: Block = [(text, BODY) for text in paragraphs]
        if rng.random() < 0.25:
            block = self._with_subheadings(block, traits)
        if rng.random() < 0.3:
            block = self._with_short_ending(block, article, traits)
        elif rng.random() < 0.12:
            block = self._with_list_inside(block, article, traits)
        head: Block = []
        if article.title and rng.random() < 0.8:
            head.append((article.title, BODY))
        if rng.random() < 0.3:
            head.append((self._byline(article), META))
        if rng.random() < 0.08:
            block.append((self._byline(article), META))
        return head + block

    def _byline(self, article: Article) -> str:
        name = " ".join(self._fragment(article, 2, 3).split()[:2])
        date, other = _date(self.rng), _date(self.rng)
        return self.rng.choice((date, f"{name} - {date}", f"{name} | {date}", f"{date} {other}"))

    def _fragment(self, article: Article, least: int, most: int) -> str:
        """Some consecutive words of the article."""
        words = self.rng.choice(article.paragraphs).split()
        size = self.rng.randint(least, most)
        at = self.rng.randrange(max(1, len(words) - size))
        return " ".join(words[at : at + size]).strip(" ،,;:.\"«»()-") or words[0]

    def _clause(self, paragraph: str) -> str:
        """A short clause of a paragraph, not its first: a heading that repeats what follows would give itself away."""
        clauses = [clause for clause in CLAUSE_END.split(paragraph)[1:] if 2 <= len(clause.split()) <= 11 or 5 <= len(clause) <= 40]
        return self.rng.choice(clauses).strip(" \"«»()'") if clauses else ""

    def _with_subheadings(self, block: Block, traits: list[str]) -> Block:
        rng = self.rng
        traits.append("sub-headings")
        style = rng.choice(("plain", "plain", "question", "numbered", "full stop", "exclamation", "upper"))
        result: Block = []
        for number, (text, label) in enumerate(block):
            if number and rng.random() < 0.4:
                heading = self._clause(text)
                if heading:
                    result.append((STYLES[style](heading, number, rng), BODY))
            result.append((text, label))
        return result

    def _items(self, article: Article) -> Block:
        """A list, table, timeline, programme, verse, line-up or references made of the article's own words.

        Lists that end the body were the first cause of body lost among 45 such errors read.
        """
        rng = self.rng
        count = rng.randint(2, 12)
        mark = rng.choice(("- ", "• ", "* ", "– ", ""))
        between = rng.choice((" | ", ": ", " – ", " - ", " "))
        behind = " |" if between == " | " and rng.random() < 0.6 else ""
        day = rng.randint(1, 20)
        month = f"{rng.choice(('/', '.', '-'))}{rng.randint(1, 12)}"
        year = rng.choice(("", f"{month[0]}{rng.randint(2008, 2026)}"))

        def clause() -> str:
            return self._clause(rng.choice(article.paragraphs)) or self._fragment(article, 3, 12)

        makers: dict[str, Callable[[int], str]] = {
            "bullets": lambda number: mark + clause(),
            "timeline": lambda number: f"{day + number}{month}{year}{between}{clause()}{behind}",
            "programme": lambda number: f"{8 + number}:{rng.choice(('00', '15', '30', '45'))}{between}{clause()}{behind}",
            "labelled": lambda number: f"{self._fragment(article, 1, 2)}{between if between != ' ' else ': '}{clause()}{behind}",
            "questions": lambda number: clause() + ("" if number % 2 else "؟" if self.lang in ("ar", "fa", "ur") else "?"),
            "table": lambda number: " | ".join(self._fragment(article, 1, 3) for _ in range(2)) + f" | {rng.randint(1, 9999)} |",
            "verses": lambda number: self._fragment(article, 3, 6),
            "numbered": lambda number: f"{number + 1}. {self._fragment(article, 3, 14)}",
            "prices": lambda number: f"{self._fragment(article, 1, 3)}: {rng.randint(1, 999)}{rng.choice(('', ',5', '.00', '%', ' $'))}",
            "names": lambda number: self._fragment(article, 2, 3),
            "clauses": lambda number: clause(),
        }
        make = makers[rng.choice(list(makers))]
        return [(make(number), BODY) for number in range(count)]

    def _with_short_ending(self, block: Block, article: Article, traits: list[str]) -> Block:
        rng = self.rng
        traits.append("short ending")
        if rng.random() < 0.25:
            return [*block, (" ".join(self._fragment(article, 2, 3).split()[:3]), BODY)]
        heading: Block = [(self._fragment(article, 2, 5) + rng.choice((":", "")), BODY)] if rng.random() < 0.5 else []
        return block + heading + self._items(article)

    def _with_list_inside(self, block: Block, article: Article, traits: list[str]) -> Block:
        traits.append("list inside")
        at = self.rng.randint(1, len(block))
        return block[:at] + self._items(article) + block[at:]

    # --- what stands around it ---

    def _surround(self, block: Block, article: Article, traits: list[str]) -> Block:
        rng = self.rng
        if rng.random() < 0.8:
            tail = self._tail(article, traits)
        else:
            tail = self._furniture(rng.randint(1, 8))
            traits.append("furniture only")
        if rng.random() < 0.3:
            extra = self._furniture(rng.randint(1, 6))
            tail = extra + tail if rng.random() < 0.5 else tail + extra
            traits.append("furniture")
        if len(block) > 4 and rng.random() < 0.15:
            at = rng.randint(2, len(block) - 1)
            inside = self._headlines(article, rng.randint(1, 4), traits) if rng.random() < 0.6 else self._furniture(rng.randint(1, 3))
            block = block[:at] + inside + block[at:]
            traits.append("block inside")
            tail = tail if rng.random() < 0.6 else []
        if len(block) > 3 and rng.random() < 0.15:
            for _ in range(rng.randint(1, 3)):
                at = rng.randint(1, len(block) - 1)
                headline = self._headlines(article, 1, [])[0][0]
                block = [*block[:at], (f"{rng.choice(self.pool.inline)} {headline}", TEASER), *block[at:]]
            traits.append("inline")
        if rng.random() < 0.1:
            before = self._headlines(article, rng.randint(1, 8), []) if rng.random() < 0.5 else self._furniture(rng.randint(1, 8))
            block = before + block
            traits.append("before")
        return block + tail

    def _tail(self, article: Article, traits: list[str]) -> Block:
        rng = self.rng
        block: Block = []
        for _ in range(1 if rng.random() < 0.8 else 2):
            if rng.random() < 0.3:
                block.append((rng.choice(self.pool.section_titles), TEASER))
                traits.append("section title")
            block += self._headlines(article, rng.choice((1, 2, 3, 3, 4, 5, 6, 8, 10, 12, 15)), traits)
        traits.append("tail")
        return block

    def _headlines(self, article: Article, count: int, traits: list[str]) -> Block:
        rng = self.rng
        headlines: list[str] = []
        if rng.random() < 0.45:
            headlines = same_subject(article, self.pool, count, rng)
            if headlines:
                traits.append("same subject")
        headlines += rng.sample(self.pool.headlines, min(len(self.pool.headlines), count - len(headlines)))
        name = rng.choice(list(STYLES))
        with_blurbs = rng.random() < 0.12
        category = self._fragment(article, 1, 1) + rng.choice(_CATEGORY_SEPARATORS) if rng.random() < 0.06 else ""
        block: Block = []
        for number, headline in enumerate(headlines):
            if headline == article.title:
                continue
            block.append((category + STYLES[name](headline, number, rng), TEASER))
            if with_blurbs:
                other = rng.choice(self.pool.articles)
                if other.paragraphs and other is not article:
                    block.append((self._blurb(other), TEASER))
        traits.append(f"style: {name}")
        if with_blurbs:
            traits.append("blurbs")
        return block or [(rng.choice(self.pool.headlines), TEASER)]

    def _listing(self, article: Article) -> Block:
        """A category, search or front page: headlines, with blurbs and dates or without, as the page's own content."""
        rng = self.rng
        style = STYLES[rng.choice(list(STYLES))]
        with_date, with_blurb, with_button = rng.random() < 0.3, rng.random() < 0.5, rng.random() < 0.2
        button = self._furniture(1) if with_button else []
        block: Block = [(self._fragment(article, 1, 3), BODY)] if rng.random() < 0.6 else []
        count = rng.randint(4, 25)
        headlines = [article.title] * bool(article.title) + rng.sample(self.pool.headlines, min(len(self.pool.headlines), count))
        rng.shuffle(headlines)
        for number, headline in enumerate(headlines):
            block.append((style(headline, number, rng), BODY))
            if with_date:
                block.append((_date(rng), META))
            if with_blurb:
                block.append((self._blurb(rng.choice(self.pool.articles)) or self._fragment(article, 6, 20), BODY))
            block += button
        if rng.random() < 0.3:
            furniture = self._furniture(rng.randint(1, 6))
            block = furniture + block if rng.random() < 0.3 else block + furniture
        return block

    def _blurb(self, article: Article) -> str:
        """The beginning of an article, cut off as lists of teasers do."""
        if not article.paragraphs:
            return ""
        return article.paragraphs[0][: self.rng.randint(60, 260)] + self.rng.choice(("", "...", "…"))

    def _furniture(self, count: int) -> Block:
        return [(text, BOILERPLATE) for text in self.rng.sample(self.pool.furniture, min(count, len(self.pool.furniture)))]
