"""The package as a whole: what importing it loads, which way imports run, and whether the wheel works by itself."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import cleanfeed

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "cleanfeed"

#: Who may import whom: a module imports from rooms to the left of its own, or from its own.
LAYERS = [
    {"segments"}, {"unicode", "lines"}, {"tokens"}, {"lexical", "coherence", "network"}, {"compiled"}, {"reading"},
    {"features"}, {"model"}, {"reasons"}, {"cleaner"}, {"extract", "repeats", "reporting"},
    {"batch", "engines", "evaluation", "training"}, {"explain_command"}, {"cli"}, {"__main__"},
]  # fmt: skip


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def level(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


def imports_of(path: Path) -> list[str]:
    """Rooms of cleanfeed that a module imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module == "cleanfeed":
            names = [f"cleanfeed.{alias.name}" for alias in node.names]
        found += [name.split(".")[1] for name in names if name.startswith("cleanfeed.")]
    return [name for name in found if (SOURCE / name).is_dir() or (SOURCE / f"{name}.py").exists()]


def test_imports_run_one_way() -> None:
    """No module imports from a room behind its own."""
    wrong = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path in SOURCE.rglob("*.py")
        if path.name != "__init__.py" or path.parent != SOURCE
        for name in imports_of(path)
        if name != room_of(path) and level(name) >= level(room_of(path))
    ]
    # The benchmark composes documents as training does; both are rooms at the far end.
    allowed = {"evaluation/sets.py imports training"}
    assert set(wrong) <= allowed


def test_importing_is_light() -> None:
    """Importing and cleaning loads NumPy, and nothing of scikit-learn, trafilatura, joblib, regex or tqdm."""
    heavy = ["sklearn", "scipy", "trafilatura", "lxml", "joblib", "regex", "tqdm", "pyarrow", "numba", "jax", "optax"]
    code = f"import sys, cleanfeed; cleanfeed.clean('a\\nb'); print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_public_names() -> None:
    """What is exported is what is promised."""
    assert sorted(cleanfeed.__all__) == ["Cleaner", "LABELS", "Line", "clean", "explain"]
    assert all(hasattr(cleanfeed, name) for name in cleanfeed.__all__)


def test_the_bundled_model_is_small() -> None:
    """Models take at most 4 MB of the wheel."""
    assert sum(path.stat().st_size for path in (ROOT / "models").rglob("*") if path.is_file()) <= 4_000_000


def test_the_wheel_works_by_itself(tmp_path: Path) -> None:
    """A wheel built from the checkout, in an empty environment and another directory, cleans a text and a page."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < 5_000_000
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True, capture_output=True)
    article = (ROOT / "examples" / "003-ar-zellij.txt").read_text(encoding="utf-8")
    page = "<html><body><article>" + "".join(f"<p>{line}</p>" for line in article.splitlines()) + "</article></body></html>"
    code = (
        "import json, sys; from cleanfeed import clean; from cleanfeed.extract import extract; "
        "text, page = json.load(sys.stdin); print(json.dumps([clean(text), extract(page)]))"
    )
    run = subprocess.run(
        [python, "-c", code], input=json.dumps([article, page]), capture_output=True, text=True, check=True, cwd=tmp_path
    )
    cleaned, extracted = json.loads(run.stdout)
    assert cleaned == cleanfeed.clean(article)
    assert 0 < len(extracted.splitlines()) < len(article.splitlines())


def test_documents_have_no_placeholders() -> None:
    """Figures that were to be filled in have been."""
    documents = [
        ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md"), *ROOT.glob("models/**/*.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]  # fmt: skip
    left = [f"{path.name}: {found}" for path in documents for found in re.findall(r"@[A-Z][A-Z0-9]*@", path.read_text(encoding="utf-8"))]
    assert not left
