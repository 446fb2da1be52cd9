"""The Python of the pages in docs/ runs as it stands."""

import re
import tomllib
from pathlib import Path

from cavitydesign import design_from_dict
from tests.geometry.contents import CONTENT

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


def test_the_shapes_of_the_page_are_designs():
    text = (ROOT / "docs/shapes.md").read_text(encoding="utf-8")
    blocks = [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S)]
    assert len(blocks) == 3
    for block in blocks:
        family = "pcsel" if "grating" in block else "nanopillar_array"
        content = {name: item for name, item in CONTENT[family].items() if name != "device"}
        design = design_from_dict({**content, **block})
        assert not design.to_stack().is_uniform
