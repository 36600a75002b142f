"""Texts to time cleanfeed on, by script, size and shape, and a fair way to compare two pieces of work."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

LABELLED = Path(__file__).parents[1] / "benchmarks" / "labelled" / "test.jsonl"

#: A sentence and a line of furniture in each script.
SCRIPTS = {
    "arabic": ("اجتمع المجلس البلدي يوم الاثنين ووافق على ترميم الجسر القديم فوق النهر قبل حلول الشتاء.", "اقرأ أيضا"),
    "latin": ("The town council met on Monday and agreed to repair the old bridge before winter comes.", "Read also"),
    "cyrillic": (
        "Городской совет собрался в понедельник и решил починить старый мост до прихода зимы.",
        "Читайте также",
    ),
    "devanagari": ("नगर परिषद की बैठक सोमवार को हुई और सर्दियों से पहले पुराने पुल की मरम्मत का निर्णय लिया गया।", "यह भी पढ़ें"),
    "cjk": ("市议会星期一开会，同意在冬天到来之前修复河上的旧桥，并请居民在施工期间绕行。", "相关阅读"),
    "thai": ("สภาเมืองประชุมเมื่อวันจันทร์และตกลงที่จะซ่อมสะพานเก่าก่อนฤดูหนาวจะมาถึง", "อ่านเพิ่มเติม"),
    "emoji": ("😀🎉🌉🏗️👷🏽‍♀️❄️🚧🛠️ 🙏🏽🔔📣🗳️ 🏞️🚲🚶‍♂️🧑‍🤝‍🧑🕰️📅 ✅🎊🥳💡📰", "👉📰"),
}


def page(script: str, characters: int) -> str:
    """A text of about so many characters: paragraphs of one to four sentences, and a line of furniture after every third."""
    sentence, furniture = SCRIPTS[script]
    lines: list[str] = []
    size = 0
    while size < characters:
        number = len(lines)
        lines.append(f"{furniture} {number}" if number % 4 == 3 else " ".join([sentence] * (1 + number % 4)))
        size += len(lines[-1]) + 1
    return "\n".join(lines)


def mixed(characters: int) -> str:
    """A text that changes its script from paragraph to paragraph."""
    part = [page(script, 300) for script in SCRIPTS]
    whole = "\n".join(part)
    return "\n".join([whole] * (characters // len(whole) + 1))[:characters]


def own_documents() -> list[tuple[list[str], str]]:
    """Lines and language of the project's own labelled documents."""
    records = map(json.loads, LABELLED.read_text("utf-8").splitlines())
    return [(record["lines"], record["lang"]) for record in records]


def cpu_time(work: Callable[[], object]) -> float:
    """Seconds of processor time, which other work on the machine disturbs less than the clock."""
    started = time.process_time()
    work()
    return time.process_time() - started


def paired_ratio(one: Callable[[], object], other: Callable[[], object], pairs: int = 5) -> float:
    """Median over runs in turn of the time of ``one`` divided by that of ``other``, after a run of each to warm up."""
    one(), other()
    return statistics.median(cpu_time(one) / cpu_time(other) for _ in range(pairs))
