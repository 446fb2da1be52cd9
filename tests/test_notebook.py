"""The notebooks run from top to bottom, in a kernel of their own, as a reader would run them."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's own machinery
def test_the_notebook_runs(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "notebooks are kept without outputs"
    layouts = path.parents[1] / "layouts"
    (tmp_path / "layouts").symlink_to(layouts)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    pictures = [
        out
        for cell in notebook.cells
        for out in cell.get("outputs", ())
        if "image/png" in out.get("data", {})
    ]
    assert len(pictures) >= 5
    assert sorted(item.name for item in tmp_path.iterdir()) == ["layouts"], "it leaves nothing behind"


def test_there_is_a_notebook_that_compares_with_measured_lasers():
    assert "compare_with_measured" in [path.stem for path in NOTEBOOKS]
