"""The sets of the reports, and the project's own labelled documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cleanfeed.evaluation import records, sets

PROJECT = Path(__file__).resolve().parents[1]


def put(path: Path, *views: str) -> None:
    """A file with one document a view."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({"id": str(n), "view": view, "lines": ["x"], "labels": ["body"]}) for n, view in enumerate(views)
    ]
    path.write_text("\n".join(lines))


def test_only_sets_whose_files_are_there_are_measured(tmp_path: Path) -> None:
    """A checkout alone has its own documents; with the data folder there is more."""
    project, data = tmp_path / "project", tmp_path / "data"
    put(sets.own(project) / "test.jsonl", "page")
    put(project / "build" / "composed_dev.jsonl", "composed")
    put(data / "lines" / "dev" / "annotated.jsonl", "page")
    assert ["own"] == [each.name for each in sets.standard(project)]
    assert ["own", "annotated", "composed"] == [each.name for each in sets.standard(project, data)]


def test_a_set_by_corpus_has_a_stratum_a_file_and_one_view(tmp_path: Path) -> None:
    """Documents of other views are left out before anything is counted."""
    put(tmp_path / "a.jsonl", "traf", "blocks", "traf")
    put(tmp_path / "b.jsonl", "traf")
    each = sets.Set("news", "", (tmp_path / "a.jsonl", tmp_path / "b.jsonl"), view="traf", by_corpus=True)
    documents, problems = each.read()
    assert [] == problems
    assert [[0, 1], [2]] == [stratum.tolist() for stratum in each.group(documents).strata]


def test_the_digest_of_a_set_follows_its_content(tmp_path: Path) -> None:
    """Other lines are other data, whatever the file is called; the same lines are the same data."""
    put(tmp_path / "a.jsonl", "traf")
    each = sets.Set("a", "", (tmp_path / "a.jsonl",))
    before = each.digest()
    put(tmp_path / "a.jsonl", "traf", "traf")
    after = each.digest()
    put(tmp_path / "a.jsonl", "traf")
    assert before == each.digest() != after


def test_the_data_folder_is_what_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the folder beside the checkout; none, where there is none."""
    monkeypatch.setenv("CLEANFEED_DATA", str(tmp_path))
    assert tmp_path == sets.data_folder(tmp_path / "project")
    monkeypatch.setenv("CLEANFEED_DATA", str(tmp_path / "none"))
    assert sets.data_folder(tmp_path / "project") is None
    monkeypatch.delenv("CLEANFEED_DATA")
    (tmp_path / "shared" / "data").mkdir(parents=True)
    assert tmp_path / "shared" / "data" == sets.data_folder(tmp_path / "project")


def test_the_projects_own_documents_are_sound() -> None:
    """No record is wrong, and no document stands in both the train and the test file."""
    if not sets.own(PROJECT).is_dir():
        pytest.skip("needs a checkout")
    train, train_problems = records.read(sets.own(PROJECT) / "train.jsonl")
    test, test_problems = records.read(sets.own(PROJECT) / "test.jsonl")
    assert [] == [*map(str, train_problems), *map(str, test_problems)]
    assert not {document.id for document in train} & {document.id for document in test}


def test_the_outside_data_are_sound() -> None:
    """Every record of the dev sets is one."""
    data = sets.data_folder(PROJECT)
    if data is None:
        pytest.skip("needs CLEANFEED_DATA")
    found = [each.read() for each in sets.standard(PROJECT, data)]
    assert all(documents and not problems for documents, problems in found)
