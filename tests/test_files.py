"""Files and numbers: whole or not at all, rows with their lines, ranges, and what JSON can have."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.files import (
    MOST_NUMBERS,
    csv_rows,
    finite_number,
    json_ready,
    json_text,
    parse_range,
    read_text,
    write_atomically,
)


def test_a_file_is_written_with_its_folder_and_leaves_nothing_else(tmp_path):
    file = tmp_path / "a" / "b" / "c.txt"
    write_atomically(file, b"one")
    write_atomically(file, b"two")
    assert file.read_bytes() == b"two"
    assert [item.name for item in file.parent.iterdir()] == ["c.txt"]


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "c.txt"
    file.write_bytes(b"old")

    def fails(source, target):
        raise OSError("full")

    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(OSError, match="full"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["c.txt"]


def test_text_is_utf8_with_or_without_mark(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xef\xbb\xbf" + "µ".encode())
    assert read_text(file) == "µ"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        read_text(file)
    with pytest.raises(InputError, match="no such file") as caught:
        read_text(tmp_path / "b.txt", key="emitter.spectrum")
    assert caught.value.key == "emitter.spectrum"


def test_rows_come_with_their_lines(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text('# c\n\n a , b\n1,"2,5"\n  # d\n\n3,\n', encoding="utf-8")
    assert csv_rows(file) == (["a", "b"], [(4, ["1", "2,5"]), (7, ["3", ""])])


@pytest.mark.parametrize(
    ("text", "rule"), [("# only\n", "is empty"), ('a,b\n1,"2\n3,4\n', "line 2: is not a row of CSV")]
)
def test_what_is_no_table_is_refused(tmp_path, text, rule):
    file = tmp_path / "a.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rule):
        csv_rows(file)


def test_finite_numbers():
    assert finite_number(" 2.5 ", key="k") == 2.5
    for text, rule in (("x", "must be a number"), ("nan", "finite"), ("-inf", "finite")):
        with pytest.raises(InputError, match=rule):
            finite_number(text, key="k")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5", (5.0,)),
        ("3, 1,2", (3.0, 1.0, 2.0)),
        ("0:0.3:0.1", (0.0, 0.1, 0.2, 0.3)),
        ("0:0.35:0.1", (0.0, 0.1, 0.2, 0.3)),
        ("3:1:-1", (3.0, 2.0, 1.0)),
        ("2:2:1", (2.0,)),
        ("-1:1:1", (-1.0, 0.0, 1.0)),
        ("1e2:3e2:1e2", (100.0, 200.0, 300.0)),
    ],
)
def test_ranges(text, values):
    assert parse_range(text, key="k") == values


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1,2,1.0", "a value twice"),
        ("1:2", "start:stop:step"),
        ("1:2:3:4", "start:stop:step"),
        ("1:2:0", "step must lead"),
        ("1:2:-1", "step must lead"),
        ("2:1:1", "step must lead"),
        ("a", "must be a number"),
        ("", "must be a number"),
        ("1,,2", "must be a number"),
        ("nan", "finite"),
        ("1:inf:1", "finite"),
        ("1e301", "finite"),
        (f"0:{MOST_NUMBERS}:1", "more than"),
    ],
)
def test_what_is_no_range(text, rule):
    with pytest.raises(InputError, match=rule) as caught:
        parse_range(text, key="k")
    assert caught.value.key == "k"


def test_the_longest_range():
    assert len(parse_range(f"1:{MOST_NUMBERS}:1", key="k")) == MOST_NUMBERS


def test_what_json_cannot_have():
    value = {
        1: math.nan,
        "a": (1.5, math.inf, -math.inf, np.float64("nan"), np.int64(3), np.bool_(True)),
        "b": np.array([[1.0, np.nan], [2.0, 3.0]]),
        "c": [1.0 - 2.0j, complex(math.nan, 0.0), np.array([1.0j])],
        "d": None,
        "e": "µ",
        "f": False,
    }
    expected = {
        "1": None,
        "a": [1.5, None, None, None, 3, True],
        "b": [[1.0, None], [2.0, 3.0]],
        "c": [[1.0, -2.0], None, [[0.0, 1.0]]],
        "d": None,
        "e": "µ",
        "f": False,
    }
    assert json_ready(value) == expected
    text = json_text(value)
    assert json.loads(text) == expected
    assert text.endswith("}\n")
    assert "µ" in text
