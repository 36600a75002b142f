"""Raw material for composed documents: articles, headlines, interface strings, per language."""

from __future__ import annotations

import hashlib
import html
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import regex

from cleanfeed.training.bank import BankLine
from cleanfeed.training.corpus import BODY, BOILERPLATE, TEASER, Document, read_jsonl

#: Files whose articles are kept for measuring where a language has several; elsewhere a fifth of the articles is, by hash.
HELD_OUT_FILES = {"sanad_alkhaleej", "persian_shessam", "ttc3600_tr", "bbc_en"}
HELD_OUT_SOURCES = {"alwatan", "okaz", "news.detik.com", "El Universal", "Excelsior"}
_SINGLE_SOURCE = {"urdu_amjad", "spanish_fakenews_posadas", "indonesian_detik_etc"}
#: Interface strings by what they are to a reader; the rest (names of parts of a page builder) is left out.
_FURNITURE = {"share", "subscribe", "comment", "cookie", "copyright", "nav", "ad"}
_TEASER_TITLES = {"related", "read_more"}
#: Times that a line of a bank stands in the pool beside interface strings; longest beginning of a "read also: ..." line.
_BANK_SHARE, _LONGEST_CUE = 3, 40
_PLACEHOLDER = regex.compile(r"%(\d\$)?[sd]|\{[^}]*\}|<[^>]*>")
_SENTENCE_END = regex.compile(r"(?<=[.!?؟۔。।…])[\"»”]?\s+")
_WORD = regex.compile(r"[\p{L}\p{M}]{4,}")


@dataclass(slots=True)
class Article:
    """One article: where it comes from, its language, its headline (or none) and its paragraphs."""

    source: str
    lang: str
    title: str
    paragraphs: list[str]


@dataclass
class Pool:
    """What documents in one language are composed from."""

    articles: list[Article]
    headlines: list[str]
    furniture: list[str]
    section_titles: list[str]
    inline: list[str]
    by_word: dict[str, list[int]]
    """Headlines that hold a word, for words neither unique nor common."""


def part_of(text: str, parts: int) -> int:
    """Which of so many parts a text belongs to, by its hash."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % parts


def held_out(file: str, source: str, key: str) -> bool:
    """Whether an article belongs to the measuring side."""
    if file in HELD_OUT_FILES or source in HELD_OUT_SOURCES:
        return True
    return file in _SINGLE_SOURCE and part_of("held out " + key, 5) == 0


def paragraphs_of(body: str, rng: Random) -> list[str]:
    """Paragraphs of a body; one that has lost its line breaks is cut after one to four sentences."""
    lines = [" ".join(line.split()) for line in html.unescape(body).split("\n")]
    # One Arabic source carries scraps of its pages' markup inside the text.
    lines = [line for line in lines if line and 'content="' not in line and "/>" not in line]
    paragraphs: list[str] = []
    for line in lines:
        if len(line) < 700 or len(lines) > 6:
            paragraphs.append(line)
            continue
        sentences = _SENTENCE_END.split(line)
        if len(sentences) < 3:
            words = line.split()
            step = rng.randint(35, 70)
            sentences = [" ".join(words[at : at + step]) for at in range(0, len(words), step)]
        while sentences:
            take = rng.choice((1, 1, 2, 2, 3, 4))
            paragraphs.append(" ".join(sentences[:take]))
            sentences = sentences[take:]
    return paragraphs


#: Source of an article that is the body of a labelled page.
PAGE = "page"
#: Fewest body lines and characters of a page whose body is worth surrounding anew, and most characters of a first line
#: that is taken for its title.
_LEAST_LINES, _LEAST_CHARACTERS, _MOST_OF_TITLE = 3, 200, 150


def article_of(document: Document) -> Article | None:
    """The body of a labelled page as an article to be surrounded anew; None where there is too little of it."""
    body = [line for line, label in zip(document.lines, document.labels, strict=True) if label == BODY]
    if len(body) < _LEAST_LINES or sum(map(len, body)) < _LEAST_CHARACTERS:
        return None
    title = body.pop(0) if len(body[0]) <= _MOST_OF_TITLE else ""
    return Article(PAGE, document.lang, title, body)


def _index(headlines: list[str]) -> dict[str, list[int]]:
    by_word: dict[str, list[int]] = defaultdict(list)
    for number, headline in enumerate(headlines):
        for word in set(_WORD.findall(headline.lower())):
            by_word[word].append(number)
    return {word: numbers for word, numbers in by_word.items() if 2 <= len(numbers) <= 400}


def load_pools(
    data: Path, *, measuring: bool, seed: int, part: int = 0, parts: int = 1, most_per_file: int = 8000,
    pages: Iterable[Article] = (), bank: Iterable[BankLine] = (),
) -> dict[str, Pool]:  # fmt: skip
    """Pools per language from ``news/``, ``headlines/`` and ``ui_strings.jsonl.gz``.

    Args:
        data: Folder of the data.
        measuring: Take the articles and headlines kept out of training, or the others.
        seed: Seed of the choice of articles and of paragraph cuts.
        part: Take only the articles and headlines of this part, so that documents composed for one fold of a
            cross-validation share nothing with those of another.
        parts: Number of parts.
        most_per_file: Articles taken of one file.
        pages: More articles.
        bank: Lines that stand around articles, from line banks.
    """
    rng = Random(seed)
    articles: dict[str, list[Article]] = defaultdict(list)
    headlines: dict[str, list[str]] = defaultdict(list)
    for path in sorted((data / "news").glob("*.jsonl.gz")):
        file = path.name.removesuffix(".jsonl.gz")
        records = [
            record for record in read_jsonl(path)
            if record["body"] and held_out(file, record["source"] or "", str(record["id"])) == measuring
            and part_of(str(record["id"]), parts) == part
        ]  # fmt: skip
        rng.shuffle(records)
        for record in records[: most_per_file // parts]:
            title = " ".join((record["title"] or "").split())
            articles[record["lang"]].append(Article(file, record["lang"], title, paragraphs_of(record["body"], rng)))
            if title:
                headlines[record["lang"]].append(title)
    for path in sorted((data / "headlines").glob("*.jsonl.gz")):
        if path.name.startswith("titles_of_news"):
            continue  # they are the titles read above
        for record in read_jsonl(path):
            text = " ".join(html.unescape(record["text"]).split())
            # A fifth is kept for measuring; the rest of the hash says the part.
            number = part_of(text, 5 * parts)
            if text and (number % 5 == 0) == measuring and number // 5 == part:
                headlines[record["lang"]].append(text)
    for article in pages:
        articles[article.lang].append(article)
        if article.title:
            headlines[article.lang].append(article.title)
    return _with_furniture(data, articles, headlines, bank)


def _with_furniture(
    data: Path, articles: dict[str, list[Article]], headlines: dict[str, list[str]], bank: Iterable[BankLine]
) -> dict[str, Pool]:
    cues = json.loads(Path(__file__).with_name("cues.json").read_text(encoding="utf-8"))
    furniture: dict[str, list[str]] = defaultdict(list)
    titles: dict[str, list[str]] = defaultdict(list)
    for record in read_jsonl(data / "ui_strings.jsonl.gz"):
        text = " ".join(_PLACEHOLDER.sub("", html.unescape(record["text"])).split())
        if 2 < len(text) < 300 and record["category"] in _FURNITURE:
            furniture[record["lang"]].append(text)
        elif 2 < len(text) < 60 and record["category"] in _TEASER_TITLES:
            titles[record["lang"]].append(text)
    inline: dict[str, list[str]] = defaultdict(list)
    for line in bank:
        if line.label == BOILERPLATE:
            furniture[line.lang] += [line.text] * _BANK_SHARE
        elif line.kind == "title":
            titles[line.lang] += [line.text] * _BANK_SHARE
        elif line.kind == "inline":
            cue, colon, _ = line.text.partition(":")
            inline[line.lang] += [cue + colon] if colon and len(cue) <= _LONGEST_CUE else []
        elif line.label == TEASER:
            headlines[line.lang].append(line.text)
    pools = {}
    for lang, found in articles.items():
        # English cues only for a language that has neither cues nor a bank.
        own = cues.get(lang, {} if inline[lang] else cues["en"])
        usable = [headline for headline in headlines[lang] if 8 <= len(headline) <= 240]
        if len(usable) < 30:
            # A language without headlines lends the first sentences of its articles.
            usable += [_SENTENCE_END.split(article.paragraphs[0])[0][:110] for article in found if article.paragraphs]
        pools[lang] = Pool(
            found, usable, furniture[lang] + own.get("furniture", []) * 10, titles[lang] + own.get("section", []) * 20,
            own.get("inline", []) + inline[lang], _index(usable),
        )  # fmt: skip
    return pools


def same_subject(article: Article, pool: Pool, count: int, rng: Random) -> list[str]:
    """Headlines that share an uncommon word with the article's title or first paragraph."""
    words = _WORD.findall((article.title + " " + " ".join(article.paragraphs[:2])).lower())
    known = sorted({word for word in words if word in pool.by_word}, key=lambda word: (len(pool.by_word[word]), word))
    found: list[int] = []
    for word in known[: max(8, count * 2)]:
        found += rng.sample(pool.by_word[word], min(3, len(pool.by_word[word])))
    headlines = [pool.headlines[number] for number in dict.fromkeys(found)]
    headlines = [headline for headline in headlines if headline != article.title]
    rng.shuffle(headlines)
    return headlines[:count]
