"""Figures, against cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cleanfeed.evaluation import bootstrap, metrics
from cleanfeed.evaluation.bootstrap import Estimate
from cleanfeed.evaluation.metrics import Truth
from cleanfeed.evaluation.records import Document

# Characters: body 10 + 30, then teaser, then meta; in the second document body 60, junk, null and a blank line.
DOCUMENTS = [
    Document("one", ["b" * 10, "b" * 30, "teaser", "meta"], ["body", "body", "teaser", "meta"]),
    Document("two", ["b" * 60, "junk", "?", "  "], ["body", "junk", None, "boilerplate"]),
]
TRUTH = Truth.of(DOCUMENTS)


def figures_of(kept: list[bool], label: list[str] | None = None) -> dict[str, float]:
    """Figures over both documents."""
    codes = None if label is None else metrics.label_codes(label)
    found = metrics.figures(metrics.counts(TRUTH, np.array(kept), codes).sum(axis=0))
    return {name: float(value) for name, value in found.items()}


def test_meta_null_and_blank_lines_are_not_scored() -> None:
    """Whether they are kept changes no figure."""
    first = figures_of([True, False, False, True, True, True, True, True])
    second = figures_of([True, False, False, False, True, True, False, False])
    assert first == pytest.approx(second, nan_ok=True)


def test_figures_by_hand() -> None:
    """One body line of 10 characters and one of two junk lines dropped: P 1/2, R 1/2, F1 1/2, body 90/100, none exact."""
    found = figures_of([False, True, False, True, True, True, True, True])
    expected = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "body_kept": 0.9, "exact": 0.0}
    assert expected == pytest.approx({name: found[name] for name in expected})


def test_a_document_is_exact_when_every_scored_line_is_right() -> None:
    """The first document is, the second keeps its junk."""
    assert 0.5 == figures_of([True, True, False, True, True, True, True, True])["exact"]


def test_nothing_dropped_has_no_precision_and_an_f1_of_zero() -> None:
    """Undefined is NaN, not a flattering 1 and not a 0 that drags a mean down."""
    found = figures_of([True] * 8)
    assert np.isnan(found["precision"])
    assert (0.0, 0.0, 1.0) == (found["recall"], found["f1"], found["body_kept"])


@pytest.mark.parametrize("kept", [True, False])
def test_documents_without_junk_have_no_recall_and_no_f1(kept: bool) -> None:
    """There is nothing to find; what was lost shows in precision and in the body."""
    truth = Truth.of([Document("clean", ["text"], ["body"])])
    found = metrics.figures(metrics.counts(truth, np.array([kept])).sum(axis=0))
    assert np.isnan(found["recall"])
    assert np.isnan(found["f1"])
    assert float(kept) == found["exact"] == found["body_kept"]


def test_f1_by_label_by_hand() -> None:
    """Labels count where the truth is one of the four: body 2 of 3 found and 1 false, teaser 1 found and 1 false."""
    found = figures_of([True] * 8, ["body", "teaser", "teaser", "body", "body", "body", "body", "body"])
    expected = {"f1_body": 2 * 2 / (2 * 2 + 1 + 1), "f1_teaser": 2 / 3, "f1_meta": 0.0}
    assert expected == pytest.approx({name: found[name] for name in expected})
    assert np.isnan(found["f1_boilerplate"])


def test_systems_without_labels_have_no_f1_by_label() -> None:
    """It is undefined, not 0."""
    assert np.isnan(figures_of([True] * 8)["f1_body"])


def test_the_curve_falls_step_by_step() -> None:
    """Lines of one score fall together; at the lowest threshold all is gone."""
    scores = np.array([0.1, 0.5, 0.9, 0.0, 0.1, 0.5, 0.0, 0.0])
    thresholds, kept, recall = metrics.curve(TRUTH, scores)
    assert [np.inf, 0.9, 0.5, 0.1] == thresholds.tolist()
    assert [1.0, 1.0, 0.7, 0.0] == pytest.approx(kept[0].tolist())
    assert [0.0, 0.5, 1.0, 1.0] == recall[0].tolist()


@pytest.mark.parametrize(("asked", "expected"), [(0.995, 0.5), (0.7, 1.0), (0.0, 1.0)])
def test_recall_at_a_share_of_the_body(asked: float, expected: float) -> None:
    """The lowest threshold that keeps enough of the body decides."""
    scores = np.array([0.1, 0.5, 0.9, 0.0, 0.1, 0.5, 0.0, 0.0])
    assert expected == metrics.recall_at(TRUTH, scores, asked=asked)[0]


def test_recall_at_a_share_does_not_depend_on_how_resamples_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Working through resamples in small pieces gives what one piece gives."""
    scores = np.array([0.1, 0.5, 0.9, 0.0, 0.1, 0.5, 0.0, 0.0])
    weights = bootstrap.weights(2, 20, seed=1)
    whole = metrics.recall_at(TRUTH, scores, weights, 0.8)
    monkeypatch.setattr(metrics, "_CELLS", 1)
    np.testing.assert_array_equal(whole, metrics.recall_at(TRUTH, scores, weights, 0.8))


def test_resamples_draw_whole_documents_and_begin_with_all_of_them() -> None:
    """Row 0 is the data; every row holds as many documents as there are; the seed decides."""
    weights = bootstrap.weights(7, 50, seed=3)
    assert (51, 7) == weights.shape
    assert [1.0] * 7 == weights[0].tolist()
    assert {7.0} == set(weights.sum(axis=1))
    np.testing.assert_array_equal(weights, bootstrap.weights(7, 50, seed=3))
    assert not np.array_equal(weights, bootstrap.weights(7, 50, seed=4))


def test_the_interval_of_a_mean_is_that_of_statistics() -> None:
    """For a share of 1/2 in 400 documents the 95 % interval is about ± 1.96 · 0.5 / 20."""
    values = np.tile([0.0, 1.0], 200)
    estimate = Estimate.of(bootstrap.weights(400, 2000) @ values / 400)
    assert 0.5 == estimate.value
    assert 0.049 == pytest.approx(estimate.half_width, abs=0.004)


def test_an_undefined_figure_has_no_interval() -> None:
    """Resamples without the figure are left out; without any there is no interval."""
    assert Estimate(1.0, 1.0, 1.0) == Estimate.of(np.array([1.0, np.nan, 1.0]))
    assert np.isnan(Estimate.of(np.array([np.nan, 1.0])).low)


def test_reliability_by_hand() -> None:
    """Junk counts once, a body line of 60 characters too, one of 20 or less by the root of a third."""
    scores = np.array([0.85, 0.15, 0.85, 0.5, 0.35, 0.35, 0.5, 0.5])
    mean, share = metrics.reliability(TRUTH, scores)
    assert mean == pytest.approx([0.15, 0.35, 0.85])
    assert share == pytest.approx([0, 1 / 2, 1 / (1 + (1 / 3) ** 0.5)])
