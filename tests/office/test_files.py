"""Each CSV opened by Calc with everything on that could act: no cell calculates, and all words come back."""

import csv
import io
import os
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from gemba.insights.rules.export import FileFormat, render
from tests.insights.rules.test_export import HOSTILE, ROW

TABLES = [one for one in FileFormat if one.value.endswith("csv")]
EVERYTHING_ON = "CSV:44,34,76,1,,0,false,true,false,false,false,0,true"
"""Comma, quote, UTF-8; numbers and dates are recognised; formulas are evaluated."""
AS_SHOWN = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def convert(source: Path, to: str, *options: str) -> Path:
    """The file as LibreOffice saves it in another format."""
    folder = source.parent / "out"
    home = f"-env:UserInstallation=file://{source.parent / 'home'}"
    program = os.environ.get("GEMBA_SOFFICE", "soffice")
    command = [
        program,
        home,
        "--headless",
        *options,
        "--convert-to",
        to,
        "--outdir",
        str(folder),
        str(source),
    ]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    return folder / f"{source.stem}.{to.partition(':')[0]}"


def opened(content: bytes, folder: Path) -> Path:
    """A CSV as Calc opens it, as flat XML."""
    path = folder / "backlog.csv"
    path.write_bytes(content)
    return convert(path, "fods", f"--infilter={EVERYTHING_ON}")


def cells(sheet: Path) -> list[ET.Element]:
    """All cells with something in them; neighbours that are alike are written once."""
    filled = [
        cell for cell in ET.parse(sheet).iter(f"{TABLE}table-cell") if cell.find(f"{TEXT}p") is not None
    ]
    return [cell for cell in filled for _same in range(int(cell.get(f"{TABLE}number-columns-repeated", 1)))]


def words(cell: ET.Element) -> str:
    """What a cell shows, without the white space that XML writes in its own way."""
    return "".join("".join("".join(line.itertext()) for line in cell.iter(f"{TEXT}p")).split())


def table(content: bytes) -> list[list[str]]:
    """The rows of a CSV."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def test_calc_would_calculate_what_is_not_guarded(tmp_path: Path) -> None:
    (cell,) = cells(opened(b'"=40+2"\r\n', tmp_path))
    assert cell.get(f"{TABLE}formula") == "of:=40+2"


@pytest.mark.parametrize("file_format", TABLES)
def test_formulas_are_words_and_all_comes_back(file_format: FileFormat, tmp_path: Path) -> None:
    rows = [
        replace(
            ROW, id=number, title=hostile, body=hostile, product=hostile, lines=(hostile,), tags=(hostile,)
        )
        for number, hostile in enumerate(HOSTILE)
    ]
    content = render(file_format, rows)
    sheet = opened(content, tmp_path)
    shown = cells(sheet)
    assert [cell.attrib for cell in shown if cell.get(f"{TABLE}formula")] == []
    expected = [value for line in table(content) for value in line if value]
    assert [words(cell) for cell in shown] == [_words(value) for value in expected]
    saved = table(convert(sheet, AS_SHOWN).read_bytes())
    assert [[_words(value) for value in line] for line in saved] == [
        [_words(value) for value in line] for line in table(content)
    ]


def _words(value: str) -> str:
    """Without white space: a cell has no tabs."""
    return "".join(value.split())
