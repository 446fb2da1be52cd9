"""The convergence figure, from a layout to a picture."""

from __future__ import annotations

from pathlib import Path

from scripts.convergence import main

LAYOUTS = Path(__file__).parents[2] / "layouts"


def test_draws_a_picture_and_names_a_wrong_file(tmp_path, capsys):
    assert main([str(LAYOUTS / "pcsel.toml"), "--out", str(tmp_path / "c.png"), "--most", "1"]) == 0
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert main([str(tmp_path / "no.toml")]) == 2
    assert "no such file" in capsys.readouterr().err
