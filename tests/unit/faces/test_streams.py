"""stdout and stderr that cannot be written, in a process of their own."""

from __future__ import annotations

import errno
import shlex
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper

import pytest

from replfix.cli import output
from replfix.cli.documents.error import ErrorDocument
from replfix.cli.stdio import BestEffortStream, ReaderGone
from replfix.present.page.page_model import Symbol
from tests.integration.running import environment

REPLFIX = f"{shlex.quote(sys.executable)} -m replfix"


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        ("{} --help > /dev/full", 4, "", "stdout: No space left on device. The command itself ended with 0"),
        ("{} status --config /nowhere --json > /dev/full", 2, "", "Nothing was changed."),
        ("{} status --config /nowhere > /dev/full 2>&1", 2, "", ""),
        ("PYTHONIOENCODING=iso-8859-1 {} help 1062 > /dev/null", 0, "", ""),
        ("set -o pipefail; {} --help | head -c 1", 0, "U", ""),
    ],
)
def test_what_cannot_be_printed_ends_in_words_and_a_code(line: str, code: int, out: str, err: str) -> None:
    ran = subprocess.run(
        ["bash", "-c", line.format(REPLFIX)], capture_output=True, text=True, check=False, env=environment()
    )
    assert (ran.returncode, ran.stdout) == (code, out), ran.stderr
    assert (err in ran.stderr) if err else not ran.stderr
    assert "Traceback" not in ran.stderr
    assert "bug" not in ran.stderr


class Refusing(StringIO):
    """Takes one line, then says no; ``tried`` counts how often."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error
        self.tried = 0

    def write(self, text: str) -> int:
        self.tried += 1
        if self.tried > 1:
            raise self.error
        return super().write(text)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), BrokenPipeError(errno.EPIPE, "gone")])
def test_narration_is_never_a_reason_to_stop(error: OSError) -> None:
    stream = Refusing(error)
    enduring = BestEffortStream(stream, ends_with_reader=False)
    for line in ("one\n", "two\n", "three\n"):
        assert enduring.write(line) == len(line)
    enduring.flush()
    assert (stream.getvalue(), stream.tried, enduring.lost) == ("one\n", 2, error)


def test_a_reader_of_results_that_went_away_ends_the_run() -> None:
    enduring = BestEffortStream(Refusing(BrokenPipeError(errno.EPIPE, "gone")), ends_with_reader=True)
    enduring.write("one\n")
    with pytest.raises(ReaderGone):
        enduring.write("two\n")


def written(text: str, encoding: str) -> bytes:
    raw = BytesIO()
    with TextIOWrapper(raw, encoding, write_through=True) as stream:
        best_effort = BestEffortStream(stream, ends_with_reader=True)
        best_effort.write(text)
        assert best_effort.lost is None
        return raw.getvalue()


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "✔ é → 中 \\udc80".encode()),
        ("iso-8859-1", b"+ \xe9 -> \\u4e2d \\udc80"),
        ("ascii", b"+ \\xe9 -> \\u4e2d \\udc80"),
        ("cp1252", b"+ \xe9 -> \\u4e2d \\udc80"),
    ],
)
def test_what_the_encoding_lacks_is_written_in_ascii(encoding: str, expected: bytes) -> None:
    """The last one is a byte of a file's name that is no UTF-8: no encoding has it."""
    assert written("✔ é → 中 \udc80", encoding) == expected


@pytest.mark.parametrize("sign", sorted({*(symbol.sign for symbol in Symbol), *"■▶≠↵▸░"}))
def test_every_symbol_has_an_ascii_form(sign: str) -> None:
    assert b"\\" not in written(sign, "ascii")


def test_a_document_is_the_same_in_every_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON is UTF-8: where that cannot be written, it is ASCII with escapes, and no symbol is replaced."""
    document = ErrorDocument.of("✔ é 中 🎉", "", 2)
    for encoding in ("utf-8", "iso-8859-1", "ascii"):
        with TextIOWrapper(raw := BytesIO(), encoding) as stream:
            monkeypatch.setattr("sys.stdout", BestEffortStream(stream, ends_with_reader=True))
            output.emit(document)
            assert ErrorDocument.model_validate_json(raw.getvalue()) == document
