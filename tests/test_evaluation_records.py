"""Labelled documents: what is read, and what is said of what is wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from cleanfeed.evaluation import records

GOOD: dict[str, Any] = {"id": "a", "lang": "ar", "lines": ["نص المقال.", "اقرأ أيضا"], "labels": ["body", "teaser"]}


def write(path: Path, *lines: str | dict[str, Any]) -> Path:
    """A JSON Lines file; strings are written as they are."""
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text(text + "\n", "utf-8")
    return path


def test_a_good_record_is_read_whole(tmp_path: Path) -> None:
    """Lines, labels, language, view and traits arrive, and the file gives the source its name."""
    path = write(tmp_path / "some.jsonl", {**GOOD, "view": "traf", "traits": ["tail"], "genre": "ignored"})
    documents, problems = records.read(path)
    expected = records.Document("a", GOOD["lines"], GOOD["labels"], "ar", "traf", ("tail",), "some")
    assert [expected] == documents
    assert [] == problems


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("[1, 2]", "a record is a JSON object, this is a list"),
        ("{broken", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        ({"lines": [], "labels": []}, "has no 'id'"),
        ({**GOOD, "id": 7}, "'id' is a string, this is 7"),
        ({**GOOD, "lang": 7}, "'lang' is a string or null, this is 7"),
        ({**GOOD, "lines": "text"}, "'lines' is a list, this is a str"),
        ({**GOOD, "labels": ["body"]}, "has 2 lines and 1 labels"),
        ({**GOOD, "lines": ["text", None]}, "line 2 is not a string"),
        ({**GOOD, "lines": ["two\nlines", "x"]}, "line 1 holds a line break: it is two lines"),
        ({**GOOD, "labels": ["body", "spam"]}, "line 2 has the unknown label 'spam'"),
        ({**GOOD, "labels": ["body", ["teaser"]]}, "line 2 has the unknown label ['teaser']"),
        ({**GOOD, "traits": [1]}, "'traits' holds something that is not a string"),
    ],
)
def test_a_wrong_record_is_named_and_the_rest_is_read(tmp_path: Path, record: Any, message: str) -> None:
    """File, line number and fault are told; the records before and after it are kept."""
    path = write(tmp_path / "x.jsonl", GOOD, record, {**GOOD, "id": "b"})
    documents, problems = records.read(path)
    assert ["a", "b"] == [document.id for document in documents]
    assert [f"{path}:2"] == [f"{problem.path}:{problem.line}" for problem in problems]
    assert problems[0].message.startswith(message)


def test_a_repeated_id_is_a_problem(tmp_path: Path) -> None:
    """The same document twice would count twice."""
    documents, problems = records.read(write(tmp_path / "x.jsonl", GOOD, "", GOOD))
    assert 1 == len(documents)
    assert f"{tmp_path / 'x.jsonl'}:3: id 'a' stands on line 1 already" == str(problems[0])


def test_bytes_that_are_not_text_are_a_problem_of_their_line(tmp_path: Path) -> None:
    """A line in another encoding does not stop the file."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"id": "\xff"}\n' + json.dumps(GOOD).encode())
    documents, problems = records.read(path)
    assert 1 == len(documents)
    assert problems[0].line == 1
    assert "UTF-8" in problems[0].message


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_an_empty_file_and_a_missing_one_are_problems_of_the_file(tmp_path: Path, name: str) -> None:
    """Nothing to measure is said, not passed over."""
    path = tmp_path / name
    missing = records.read(path)[1]
    path.write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")
    empty = records.read(path)[1]
    assert [f"{path}: No such file or directory", f"{path}: holds no records"] == [str(missing[0]), str(empty[0])]


def test_a_gzip_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    """The records before the break are read, and the break is told."""
    path = tmp_path / "x.jsonl.gz"
    many = "".join(json.dumps({**GOOD, "id": str(number)}) + "\n" for number in range(5000))
    path.write_bytes(gzip.compress(many.encode())[:-4000])
    documents, problems = records.read(path)
    assert 0 < len(documents) < 5000
    assert "cannot be read further" in problems[0].message


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    """Packing a file changes nothing, changing a byte does."""
    plain = write(tmp_path / "x.jsonl", GOOD)
    packed = tmp_path / "x.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    other = write(tmp_path / "y.jsonl", {**GOOD, "id": "b"})
    assert records.digest(plain) == records.digest(packed) != records.digest(other)
