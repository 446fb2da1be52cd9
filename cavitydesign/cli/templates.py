"""``cavitydesign new`` and ``cavitydesign schema``: what to write into a design file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from cavitydesign.cli import options, output
from cavitydesign.files import write_atomically
from cavitydesign.geometry import templates
from cavitydesign.geometry.families import families
from cavitydesign.geometry.schema import design_schema


def _starting(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """What a shell completes to: those of the names that start as what is typed."""
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


Family = Annotated[
    str,
    typer.Argument(
        metavar="FAMILY",
        help="Family of the design, or mask.",
        show_default=False,
        autocompletion=_starting(templates.names),
    ),
]
NewFile = Annotated[Path, typer.Argument(metavar="FILE.toml", help="File to write.", show_default=False)]
OneFamily = Annotated[
    str | None,
    typer.Argument(
        metavar="FAMILY",
        help="Family of the design.",
        show_default="all families",
        autocompletion=_starting(families),
    ),
]


def new(family: Family, file: NewFile, force: options.Force = False, json: options.Json = False) -> None:
    """Write a commented template of a family, or of a mask, that every command takes as it is.

    Example: cavitydesign new pcsel mine.toml
    """
    text = templates.text(family)
    options.writable(file, "FILE.toml", suffixes=(".toml",), force=force)
    write_atomically(file, text.encode())
    if json:
        output.print_json({"family": family, "file": str(file)})
    else:
        typer.echo(f"Wrote {file}.")


def schema(family: OneFamily = None, json: options.Json = False) -> None:
    """The JSON schema of design files, numbers with their source included, for editors that check while one types.

    Example: cavitydesign schema pcsel --json
    """
    del json  # a schema is one JSON document in any case
    if family is not None:
        output.print_json(design_schema(family))
    else:
        output.print_json({"oneOf": [design_schema(name) for name in families()]})
