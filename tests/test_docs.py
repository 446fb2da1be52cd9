"""The Python of the pages in docs/ runs as it stands."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_runs_from_top_to_bottom(monkeypatch, tmp_path):
    page = "docs/python.md"
    text = (ROOT / page).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.M | re.S))
    assert code
    (tmp_path / "layouts").symlink_to(ROOT / "layouts")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(code, page, "exec", dont_inherit=True), names)  # noqa: S102 (our own text)
    assert abs(names["te0"].n_eff - 1.7284239318714) < 1e-12
    assert (tmp_path / "out" / "near_field.png").stat().st_size > 10_000
