"""What commands print: progress with time left, footnotes, figures; nothing that a user wrote is read as markup."""

from __future__ import annotations

import io
import math
import sys
import time

import pytest

from cavitydesign import load_design, solve
from cavitydesign.cli import output
from tests.cli.running import CAVITY, PROGRESS, command, complaints


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(output, "PATIENCE_S", 0.02)


@pytest.mark.usefixtures("impatient")
def test_progress_is_a_line_on_stderr_with_time_left(capsys):
    with output.progress("thinking") as shown:
        shown(3, 7)
        time.sleep(0.2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("thinking: 3 of 7 after 0 s, about 0 s left")
    assert complaints(captured.err) == [], "the tests know it for what it is"


def test_progress_shows_parts_of_what_is_done_shortly(capsys):
    shown = output.Reporter("verifying")
    shown._next = 0.0
    shown(0.00489976, 8)
    shown._next = 0.0
    shown(3.4512, 8)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("verifying: 0 of 8 after 0 s")
    assert second.startswith("verifying: 3.5 of 8 after 0 s")


@pytest.mark.usefixtures("impatient")
def test_progress_says_at_what_and_nothing_of_a_total_that_is_not_known(capsys):
    with output.progress("finding modes") as shown:
        shown(0, 0, "fdtd: 1 of 4 runs\n50 %")
        time.sleep(0.2)
    assert capsys.readouterr().err == "finding modes: fdtd: 1 of 4 runs 50 %: after 0 s\n"


def test_what_is_quick_says_nothing(capsys):
    with output.progress("thinking") as shown:
        shown(1, 2)
    assert capsys.readouterr().err == ""


def test_lines_come_now_and_then_and_time_left_is_that_of_the_piece_of_work(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(output.time, "monotonic", lambda: now[0])
    shown = output.Reporter("sweeping")
    shown(1, 4)
    now[0] += 3.0
    shown.begin()
    assert capsys.readouterr().err == "sweeping: 1 of 4 after 3 s, about 9 s left\n"
    now[0] += 1.0
    shown(2, 4)
    assert capsys.readouterr().err == "", "not a line for every step"
    now[0] += 5.0
    shown(3, 4)
    assert capsys.readouterr().err == "sweeping: 3 of 4 after 9 s, about 3 s left\n"
    now[0] += 1.0
    shown(0, 10, "again")
    now[0] += 10.0
    shown(5, 10, "again")
    assert capsys.readouterr().err == "sweeping: again: 5 of 10 after 20 s, about 10 s left\n"


@pytest.mark.usefixtures("impatient")
def test_progress_on_a_terminal_is_a_bar_that_goes_away(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with output.progress("[bold]thinking[/]") as shown:
        shown(3, 7)
        time.sleep(0.5)
        shown(4, 7)
    text = screen.getvalue()
    assert "[bold]thinking[/]" in text, "not read as markup"
    assert "left" in text
    assert "\x1b[2K" in text, "the line is taken away"


def test_a_closed_stderr_does_not_end_the_work(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    output.Reporter("thinking").begin()


@pytest.mark.parametrize(
    "line",
    [
        "finding modes: after 2 s",
        "sweeping [bold]x[/]: 3 of 61 after 12 s, about 200 s left",
        "finding modes: fdtd: 1 of 4 runs done; ++ 50 %: after 7 s",
    ],
)
def test_progress_is_told_from_complaints(line):
    assert PROGRESS.fullmatch(line)
    assert complaints(f"{line}\npcsel.toml: must be > 0, got 3 of 7\n") == [
        "pcsel.toml: must be > 0, got 3 of 7"
    ]


# -- figures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "error", "text"),
    [
        (math.nan, math.nan, "-"),
        (None, None, "-"),
        (math.inf, math.nan, "∞"),
        (696.171, 0.078, "696.171 ± 0.078"),
        (696.171, math.nan, "696.17"),
        (691_116.0, 1.0, "691 116"),
    ],
)
def test_a_q_is_unknown_unlimited_or_a_number(q, error, text):
    assert output.q_figure(q, error) == text


def test_dark_is_a_word_of_its_own():
    assert [output.dark_text(dark) for dark in (True, False, None)] == ["dark", "", "?"]


# -- footnotes -----------------------------------------------------------------------------------------------------


def assumed(name, value, plus_minus, note=""):
    return {"input": name, "value": value, "source": "assumed", "plus_minus": plus_minus, "note": note}


INPUTS = [
    assumed("a", 100.0, 1.0),
    assumed("b", 2.0, 0.4, "a guess of [ours]"),
    assumed("c", 0.0, 0.1),
    assumed("d", 5.0, None),
    assumed("e", 10.0, 1.0),
]


def told(capsys, *arguments, **more):
    output.tell_assumed(output.console(), *arguments, **more)
    return " ".join(capsys.readouterr().out.split())


def test_the_three_inputs_that_matter_most_are_named(capsys):
    text = told(capsys, INPUTS, explain=False)
    assert "c = 0 ± 0.1, b = 2 ± 0.4, e = 10 ± 1, and 2 more; --explain lists them." in text
    text = told(capsys, INPUTS, explain=False, share={"a": 0.9, "d": 0.05, "e": 0.01})
    assert "a = 100 ± 1, d = 5, e = 10 ± 1, and 2 more" in text
    text = told(capsys, INPUTS[:3], explain=False)
    assert "more" not in text
    assert told(capsys, [], explain=True) == "No input was assumed."


def test_explain_lists_every_input_with_source_and_note(capsys):
    text = told(capsys, INPUTS, explain=True)
    for item in INPUTS:
        assert f" {item['input']} {item['value']:g}" in text
    assert "b 2 ± 0.4 assumed a guess of [ours]" in text


def test_explain_of_a_command(tmp_path):
    path = tmp_path / "cavity.toml"
    path.write_text(CAVITY.replace('"assumed", ', '"assumed", note = "[guess]", '))
    assert "layers.2.thickness_nm = 433 ± 10." in command("modes", path).out
    assert "433 ± 10   assumed   [guess]" in command("modes", path, "--explain").out


def test_calibrate_explains_what_is_still_assumed(tmp_path):
    path, peaks = tmp_path / "cavity.toml", tmp_path / "peaks.csv"
    text = CAVITY.replace(
        "thickness_nm = 54.0", 'thickness_nm = { value = 54.0, source = "assumed", note = "thin" }'
    )
    path.write_text(text)
    peaks.write_text("wavelength_nm\n652\n")
    fitting = ("calibrate", path, "--measured", peaks, "--fit", "layers.2.thickness_nm")
    ran = command(*fitting)
    assert ran.code == 0, ran.err
    assert "fitted): layers.1.thickness_nm = 54, layers.3.thickness_nm = 54." in " ".join(ran.out.split())
    assert "assumed   thin" in command(*fitting, "--explain").out
    path.write_text(CAVITY)
    assert "assumed)" not in command(*fitting).out, "nothing is left"


def test_verify_explains_what_is_assumed(cavity, monkeypatch):
    from cavitydesign.study import verify

    found = solve(load_design(cavity))
    same = verify.compare(found, found, window_nm=found.window_nm, q_min=1.0)
    monkeypatch.setattr(verify, "verify", lambda *_, **__: same)
    ran = command("verify", cavity)
    assert ran.code == 0, ran.err
    assert "layers.2.thickness_nm = 433 ± 10." in ran.out
    assert ran.out.count(f"Status: {found.status.value}.") == 1
    assert command("verify", cavity, "--json").json["status"] == "ok"
    assert "433 ± 10   assumed" in command("verify", cavity, "--explain").out


# -- markup --------------------------------------------------------------------------------------------------------

WILD = CAVITY.replace("two plates", "[bold]x[/] [emitter] :smile:")


@pytest.mark.parametrize(
    "arguments", [["modes"], ["predict", "--no-tolerances"], ["compare"], ["calibrate"], ["sweep"]], ids=str
)
def test_nothing_that_was_written_is_read_as_markup(tmp_path, arguments):
    path, peaks = tmp_path / "wild.toml", tmp_path / "peaks.csv"
    path.write_text(WILD)
    peaks.write_text("wavelength_nm,period_is\n640,[red]s[/]\n")
    name, *more = arguments
    more += ["--measured", peaks] if name in ("compare", "calibrate") else []
    more += ["--vary", "layers.2.thickness_nm=430", "--out", tmp_path / "out"] if name == "sweep" else []
    ran = command(name, path, *more)
    assert ran.code == 0, ran.err
    assert "[bold]x[/] [emitter] :smile:" in ran.out
    if name == "predict":
        assert "the design has no [emitter]" in ran.out
    if name == "compare":
        assert "[red]s[/]" in ran.out


# -- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("field.bmp", [".png", ".pdf", ".svg"]),
        ("field", [".png"]),
        ("folder.png", ["is a folder"]),
        ("file/field.png", ["is no folder"]),
        ("file/deeper/field.png", ["is no folder"]),
    ],
)
@pytest.mark.parametrize("name", ["modes", "predict", "sweep", "compare"])
def test_an_impossible_figure_is_refused_before_the_work(cavity, tmp_path, monkeypatch, name, file, words):
    from cavitydesign.solvers.poles import Poles

    monkeypatch.setattr(Poles, "run", lambda *_: pytest.fail("it was solved"))
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("")
    peaks = tmp_path / "peaks.csv"
    peaks.write_text("wavelength_nm\n640\n")
    more = {
        "sweep": ["--vary", "layers.2.thickness_nm=430", "--out", tmp_path],
        "compare": ["--measured", peaks],
    }
    ran = command(name, cavity, *more.get(name, []), "--plot", tmp_path / file)
    assert ran.code == 2
    for word in ("--plot", *words):
        assert word in ran.one_line()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("calibrate", "folder.toml"),
        ("calibrate", "design.json"),
        ("mask", "mask.dxf"),
        ("mask", "file/m.gds"),
    ],
)
def test_an_impossible_out_is_refused_before_the_work(cavity, tmp_path, name, file):
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "file").write_text("")
    more = ["--measured", tmp_path / "peaks.csv"] if name == "calibrate" else []
    ran = command(name, cavity, *more, "--out", tmp_path / file)
    assert ran.code == 2
    assert "--out" in ran.one_line()


def test_a_figure_in_a_folder_to_come_is_written(cavity, tmp_path):
    assert command("modes", cavity, "--json", "--plot", tmp_path / "new" / "field.svg").code == 0
    assert (tmp_path / "new" / "field.svg").is_file()
