"""``cavitydesign new`` and ``cavitydesign schema``: what to write into a design file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cavitydesign.cli import options

Family = Annotated[
    str, typer.Argument(metavar="FAMILY", help="Family of the design, or mask.", show_default=False)
]
NewFile = Annotated[Path, typer.Argument(metavar="FILE.toml", help="File to write.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]
OneFamily = Annotated[
    str | None, typer.Argument(metavar="FAMILY", help="Family of the design.", show_default="all families")
]


def new(family: Family, file: NewFile, force: Force = False, json: options.Json = False) -> None:
    """Write a commented template of a family, or of a mask, that every command takes as it is.

    Example: cavitydesign new pcsel mine.toml
    """
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError
    from cavitydesign.files import write_atomically
    from cavitydesign.geometry import templates

    text = templates.text(family)
    options.writable(file, "FILE.toml", suffixes=(".toml",))
    if file.exists() and not force:
        raise InputError("is there already; --force overwrites it", file=file)
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
    from cavitydesign.cli import output
    from cavitydesign.geometry.families import families
    from cavitydesign.geometry.schema import design_schema

    if family is not None:
        output.print_json(design_schema(family))
    else:
        output.print_json({"oneOf": [design_schema(name) for name in families()]})
