"""Every docstring is one that a generator of documentation reads, and cites nothing that a reader cannot open."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import griffe
import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "cavitydesign").rglob("*.py"), *(ROOT / "scripts").glob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def objects(parent: griffe.Object) -> Iterator[griffe.Object]:
    """An object and all that is defined in it."""
    yield parent
    for member in parent.members.values():
        if isinstance(member, griffe.Object):
            yield from objects(member)


def test_all_sections_are_valid_google_style(caplog: pytest.LogCaptureFixture) -> None:
    package = griffe.load("cavitydesign", search_paths=[ROOT], allow_inspection=False)
    assert isinstance(package, griffe.Module)
    sections = 0
    with caplog.at_level(logging.WARNING, logger="griffe"):
        for each in objects(package):
            if each.docstring:
                parts = each.docstring.parse("google", warn_unknown_params=True)
                sections += sum(part.kind is not griffe.DocstringSectionKind.text for part in parts)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("griffe")] == []
    assert sections >= 40  # the parser has seen them


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_section_of_another_style(path: Path) -> None:
    """Neither numpy's underlined headings, nor what a reformatter makes of them."""
    text = path.read_text(encoding="utf-8")
    assert (
        re.findall(r"^\s*(?:Parameters|Attributes|Returns|Raises|Yields|Notes|Examples)\s+-{3,}", text, re.M)
        == []
    )
    assert re.findall(r"^\s*Raises :class:.*", text, re.M) == []
    assert (
        re.findall(r"^ {4,}[a-z_0-9, ]+: .*\. [a-z_0-9]{2,}: .*", text, re.M) == []
    )  # two entries on one line


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_document_that_is_cited_is_in_the_repository(path: Path) -> None:
    cited = set(re.findall(r"[\w./-]+\.(?:md|rst)\b", path.read_text(encoding="utf-8")))
    assert sorted(name for name in cited if not (ROOT / name).is_file()) == []
