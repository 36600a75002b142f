"""The compiled reading gives what NumPy gives, to the bit, and nobody waits for it who gains nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from cleanfeed.lines import block_of
from cleanfeed.model import find
from cleanfeed.reading import inked_lines, read_compiled, read_in_pieces
from speed_support import own_documents

compiled = pytest.importorskip("cleanfeed.compiled", reason="needs numba: pip install cleanfeed[fast]", exc_type=ImportError)


def assert_same(texts: list[str]) -> None:
    block = block_of(texts)
    inked = inked_lines(block)
    if not len(inked):
        return
    tables = find("default").tables
    expected, found = read_in_pieces(block, inked, tables), read_compiled(compiled, block, inked, tables)
    for name, column in expected._asdict().items():
        other = getattr(found, name)
        assert column.dtype == other.dtype, name
        assert np.array_equal(column, other), name


@settings(deadline=None)
@given(st.lists(strategies.text, min_size=1, max_size=5))
def test_any_text_is_read_alike(texts: list[str]) -> None:
    """Hostile texts: scripts mixed, controls, lone surrogates, code points past the tables."""
    assert_same(texts)


def test_own_documents_are_read_alike() -> None:
    """All languages of the project's own documents."""
    assert_same(["\n".join(lines) for lines, _ in own_documents()])


@pytest.mark.parametrize("line", ["x" * 3000, "the " * 600, "漢字" * 600, "สวัสดี" * 300, "字 a" * 400 + "!", "\u0640" * 20 + "1"])
def test_long_lines_are_read_alike(line: str) -> None:
    """Lines past the share that is read, and past the words that one packed sum holds."""
    assert_same([f"{line}\nbeside\n{line} {line}"])


def test_only_large_blocks_wait_for_it() -> None:
    """One page loads no numba; a block of the size that clean_many makes does."""
    code = (
        "import sys; from cleanfeed import Cleaner; cleaner = Cleaner(); cleaner.clean('one\\ntwo\\n' * 99);"
        "print('numba' in sys.modules); list(cleaner.clean_many(['word word\\n' * 3000] * 10)); print('numba' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("error", ["ImportError", "RuntimeError"])
def test_a_numba_that_does_not_work_is_done_without(tmp_path: Path, error: str) -> None:
    """Where numba refuses this NumPy, or finds no folder for its cache, NumPy reads."""
    (tmp_path / "numba.py").write_text(f"raise {error}('no')", encoding="utf-8")
    code = "from cleanfeed import Cleaner; print(len(list(Cleaner().clean_many(['word word\\n' * 3000] * 10))))"
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": path}
    )
    assert run.stdout.split() == ["10"]
