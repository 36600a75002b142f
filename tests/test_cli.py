"""The command line: help, version, standard input and output, explain."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cleanfeed
from batch_support import clean, command, environment, marked, spawn  # noqa: F401 - marked is a fixture
from cleanfeed import cli, explain_command
from cleanfeed.lines import Line

ARABIC = "وزير التعليم يعلن موعد الامتحانات النهائية في المدارس.\nاقرأ أيضا\n"


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> object:
    """Put bytes on standard input."""

    def put(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints the version of the package."""
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert cleanfeed.__version__ in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["clean"], ["nonsense"], ["clean", "x", "--to", "pdf"]])
def test_wrong_command_lines_exit_with_two(arguments: list[str]) -> None:
    """What argparse refuses is exit code 2."""
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Each sub-command is listed with a line of help, and explains itself."""
    for name in ("clean", "explain"):
        with pytest.raises(SystemExit):
            cli.main([name, "--help"])
        assert len(capsys.readouterr().out) > 300


def test_help_is_quick_and_loads_no_heavy_library() -> None:
    """Reading the command line loads neither trafilatura nor joblib, pyarrow or scikit-learn."""
    script = (
        "import sys, cleanfeed.cli as c; c._parser(); "
        "print([n for n in ('trafilatura', 'joblib', 'pyarrow', 'sklearn', 'jax', 'tqdm', 'fastwarc') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("marked")
class TestStandardInput:
    """``-`` stands for standard input."""

    def test_one_text(self, stdin: object, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        """One text comes out cleaned, line endings kept."""
        stdin("نص\r\nJUNK\r\nend".encode())  # type: ignore[operator]
        assert clean("-") == 0
        assert capfdbinary.readouterr().out == "نص\r\nend".encode()

    def test_records(self, stdin: object, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        """--from jsonl takes records as they come and reports those that are broken."""
        stdin(b'{"text": "a\\nJUNK"}\n{"broken\n{"text": "b"}')  # type: ignore[operator]
        assert clean("-", "--from", "jsonl") == 1
        out, err = capfdbinary.readouterr()
        assert out == b'{"text": "a\\n"}\n{"text": "b"}\n'
        assert b"standard input, line 2" in err

    def test_a_page(self, stdin: object, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        """--from html extracts first."""
        stdin(b"<article>" + b"<p>A paragraph of the article that is long enough.</p>" * 4)  # type: ignore[operator]
        assert clean("-", "--from", "html") == 0
        assert b"long enough" in capfdbinary.readouterr().out

    def test_into_a_file(self, stdin: object, tmp_path: Path) -> None:
        """-o takes the result, whole or not at all."""
        stdin(b"a\nJUNK\n")  # type: ignore[operator]
        assert clean("-", "-o", tmp_path / "out.txt") == 0
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.txt", b"a\n")]

    def test_binary_data(self, stdin: object, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        """What is no text is reported, and nothing is printed."""
        stdin(b"\xff\x00\xfe\x00\x01")  # type: ignore[operator]
        assert clean("-") == 1
        out, err = capfdbinary.readouterr()
        assert out == b""
        assert b"binary" in err

    def test_not_with_files(self, tmp_path: Path) -> None:
        """Standard input cannot be one of several inputs."""
        assert clean("-", tmp_path) == 2


def test_several_files_need_a_place(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Two texts are not printed one behind the other; the message says what to do."""
    (tmp_path / "a.txt").touch()
    (tmp_path / "b.txt").touch()
    assert clean(tmp_path) == 2
    assert "-o" in capfd.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="needs a shell's pipes")
def test_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """Piping into head ends quietly."""
    (tmp_path / "a.txt").write_text("A line of text that is long enough to fill a pipe.\n" * 20_000, "utf-8")
    with subprocess.Popen(
        command("clean", tmp_path / "a.txt"), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_missing_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A format whose library is not installed fails with the command that installs it."""
    for name in ("pyarrow", "fastwarc", "backports", "compression.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    for name, extra in (("a.parquet", "parquet"), ("a.warc.gz", "warc"), ("a.jsonl.zst", "zstd")):
        (tmp_path / name).touch()
        assert clean(tmp_path / name, "-o", tmp_path / "out/") == 1
        assert f"cleanfeed[{extra}]" in capfd.readouterr().err


class TestExplain:
    """``cleanfeed explain``."""

    LINES = (
        Line(0, 3, "body", 0.1, "", False),
        Line(4, 4, "blank", 0.0, "", False),
        Line(5, 9, "teaser", 0.97, "a list of headlines", True),
    )

    def test_plain_rows(self) -> None:
        """In a pipe each line has its fate, label, score and reason, and text is kept apart from its surroundings."""
        rows = list(explain_command.rows("abc\n\nاقرأ\n", self.LINES, styled=False))
        assert rows == [
            "+ body        0.10  \u2068abc\u2069",
            "",
            "- teaser      0.97  \u2068اقرأ\u2069  (a list of headlines)",
        ]

    def test_styled_rows(self) -> None:
        """A terminal shows dropped lines struck out and dim, and kept ones plain."""
        kept, _, dropped = explain_command.rows("abc\n\nاقرأ\n", self.LINES, styled=True)
        assert "\x1b" not in kept
        assert "\x1b[2;9mاقرأ\x1b[0m" in dropped

    def test_text_cannot_take_over_the_terminal(self) -> None:
        """Control and directional characters in a text show as escapes; what spells words stays."""
        text = "\x1b]0;t\x07 \u202e می\u200cخواهم"
        (row,) = explain_command.rows(text, [Line(0, len(text), "body", 0.1, "", False)], styled=True)
        assert "\x1b" not in row
        assert "\u202e" not in row
        assert "می\u200cخواهم" in row

    def test_a_file(self, tmp_path: Path) -> None:
        """Every line of a file is shown, in order, with UTF-8 on standard output."""
        (tmp_path / "a.txt").write_text(ARABIC, "utf-8")
        done = spawn("explain", tmp_path / "a.txt")
        assert done.returncode == 0, done.stderr
        assert [line.split()[0] in "+-" for line in done.stdout.decode().splitlines()] == [True, True]
        assert "وزير التعليم".encode() in done.stdout
        assert b"\x1b" not in done.stdout

    @pytest.mark.parametrize(
        ("arguments", "code"), [(["missing.txt"], 1), (["-", "--threshold", "2"], 2), (["-", "--drop", "nonsense"], 2)]
    )
    def test_failures(self, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
        """A missing file and wrong settings are told in one line."""
        assert cli.main(["explain", *arguments]) == code
        assert capsys.readouterr().err.startswith("cleanfeed: ")
