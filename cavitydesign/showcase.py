"""The three published lasers from design file to mask: modes, lines beside what was published, sweeps, plots, GDS.

``cavitydesign showcase --out out`` is what ``make run`` runs. Everything it knows comes from ``layouts/``.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cavitydesign.cli import options, output
from cavitydesign.cli.group import INTERRUPTED, Leave
from cavitydesign.errors import InputError
from cavitydesign.files import json_text, write_atomically
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.load import load_design
from cavitydesign.solvers.poles import Poles
from cavitydesign.study import predict, sweep
from cavitydesign.study.peaks import Peak, published_beside, read_peaks
from cavitydesign.study.published import Fact

LASERS = {
    "nanopillar": ("Pillars", "lattice.period_nm=305:385:1"),
    "pcsel": ("PCSEL", "lattice.period_nm=320:460:1"),
    "two_mirror": ("Two mirrors", "spacer.thickness_nm=700:1300:10"),
}
"""Name of the layout: how it is called in the summary, and what its map varies."""

_MAP = Poles(tolerance_nm=0.05, q_tolerance=0.02)
"""Accuracy of the period maps: a tenth of what a dot in them is high."""


@dataclass(frozen=True)
class Told:
    """What the summary needs of one laser: rows of published beside predicted, words, and seconds of physics."""

    title: str
    rows: Sequence[Fact] = ()
    words: Sequence[str] = ()
    assumed: Sequence[str] = ()
    fitted: Sequence[str] = ()
    doubtful: Sequence[str] = ()
    physics_s: float = 0.0


_JOBS = min(2, os.cpu_count() or 1)
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the results.")]
Layouts = Annotated[
    Path | None,
    typer.Option(
        "--layouts",
        metavar="DIR",
        help="Folder of the published designs.",
        show_default="`layouts`, here or in the checkout",
    ),
]
Coarse = Annotated[
    bool, typer.Option("--coarse", help="Every tenth point of the sweeps and no ±, for tests.")
]
Jobs = Annotated[int, typer.Option("--jobs", help="Lasers side by side.")]


def showcase(
    out: Out = Path("out"),
    layouts: Layouts = None,
    coarse: Coarse = False,
    jobs: Jobs = _JOBS,
    json: options.Json = False,
) -> None:
    """The published lasers from design file to mask: modes, lines beside what was published, sweeps, figures, GDS.

    Example: cavitydesign showcase --out out
    """
    options.folder_to_fill(out, "--out")
    if jobs < 1:
        raise InputError("must be at least 1", key="--jobs", value=jobs)
    start = time.perf_counter()
    try:
        folder = layouts or _layouts()
        told = _lasers(folder, out, coarse=coarse, jobs=jobs)
        masks = [mask(file, out / "masks") for file in sorted((folder / "masks").glob("*.toml"))]
    except KeyboardInterrupt:
        raise Leave(INTERRUPTED, f"interrupted; what was finished is kept in {out}") from None
    document = summary(told, masks, out, time.perf_counter() - start, quiet=json)
    if json:
        output.print_json(document)


def laser(file: Path, out: Path, *, coarse: bool = False) -> Told:
    """One laser: predict, sweep, tables and figures into ``out``."""
    from cavitydesign.report import plots

    title, vary = LASERS[file.stem]
    design = load_design(file)
    published = published_beside(file)
    peaks = read_peaks(published) if published else ()
    _say(f"{title}: modes and lasing lines")
    begin = time.perf_counter()
    found = predict.predict(design, Poles(), peaks=peaks, tolerances=not coarse)
    _say(f"{title}: {vary.replace('=', ' = ')}")
    swept = _swept(found.design, vary, peaks, coarse=coarse)
    physics_s = time.perf_counter() - begin
    _say(f"{title}: tables and figures")
    _tables(found, swept, out)
    figures = {
        "map": plots.period_map(swept, peaks=peaks),
        "gain": plots.gain_picture(found),
        "field": plots.mode_picture(found.design, found.solution),
        "modes": plots.mode_chart(found.design, found.solution),
        "published": plots.published_against_predicted(
            found.published, title=f"{design.name}: published and predicted"
        ),
    }
    if plots.has_mirrors(design.to_stack()):
        figures["mirrors"] = plots.mirror_spectrum(design, found.solution, peaks=peaks)
    for name, figure in figures.items():
        plots.save(figure, out / f"{name}.png")
    doubts = [] if found.solution.status.trustworthy else [found.solution.status.value]
    if swept.failed:
        share = f"{len(swept.failed)} of {len(swept.points)}"
        doubts.append(f"{share} points of the sweep are not proven complete")
    return Told(
        title,
        rows=found.published,
        words=_words_of_sweep(swept, peaks),
        assumed=[item.path for item in design.assumed() if not output.is_gain_input(item.path)],
        fitted=[f"{item.path} ({item.note})" for item in design.fitted()],
        doubtful=[f"{title}: {doubt}" for doubt in doubts],
        physics_s=physics_s,
    )


def mask(file: Path, out: Path) -> dict[str, Any]:
    """Draw, check, write and read back one mask; its preview beside it."""
    from cavitydesign import masks
    from cavitydesign.report import plots

    _say(f"mask {file.stem}")
    drawn = masks.build(masks.load_mask(file))
    broken = [item for item in masks.check(drawn) if item.severity == "error"]
    if broken:
        raise InputError(f"breaks {len(broken)} fabrication rule(s); the first: {broken[0]}", file=file)
    manifest = masks.write(drawn, out / f"{file.stem}.gds")
    back = masks.read_back(manifest.path, drawn)
    plots.save(plots.mask_preview(drawn), out / f"{file.stem}.png")
    checked = {"copies": back.copies, "ok": back.ok, "problems": back.problems}
    return {"file": str(manifest.path), "devices": len(drawn.devices), **checked}


def summary(
    told: Sequence[Told],
    masks: Sequence[Mapping[str, Any]],
    out: Path,
    seconds: float,
    *,
    quiet: bool = False,
) -> dict[str, Any]:
    """One screen of 80 x 40, on stdout (unless quiet) and in ``summary.txt``; the same as JSON, which it returns."""
    pages = io.StringIO()
    for file in (pages,) if quiet else (sys.stdout, pages):
        _screen(output.console(width=80, file=file), told, masks, out, seconds)
    write_atomically(out / "summary.txt", pages.getvalue().encode())
    document = {
        "physics_s": sum(item.physics_s for item in told),
        "seconds": seconds,
        "lasers": [
            {
                "laser": item.title,
                "published": [fact.record() for fact in item.rows],
                **{name: getattr(item, name) for name in ("words", "assumed", "fitted", "doubtful")},
            }
            for item in told
        ],
        "masks": masks,
    }
    write_atomically(out / "summary.json", _json(document))
    return document


# -- parts ---------------------------------------------------------------------------------------------------------


def _layouts() -> Path:
    for folder in (Path.cwd() / "layouts", Path(__file__).resolve().parents[1] / "layouts"):
        if (folder / "pcsel.toml").is_file():
            return folder
    raise InputError("no folder `layouts` with the published designs here; give --layouts", key="--layouts")


def _lasers(layouts: Path, out: Path, *, coarse: bool, jobs: int) -> list[Told]:
    """All lasers, some side by side."""
    work = [(layouts / f"{name}.toml", out / name) for name in LASERS]
    if jobs < 2:
        return [laser(*item, coarse=coarse) for item in work]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        order = sorted(work, key=lambda item: item[0].stem != "pcsel")  # the longest first
        running = {item: pool.submit(laser, *item, coarse=coarse) for item in order}
        return [running[item].result() for item in work]


def _say(text: str) -> None:
    """Progress, one line each."""
    sys.stderr.write(f"… {text}\n")
    sys.stderr.flush()


def _swept(design: Design, vary: str, peaks: Sequence[Peak], *, coarse: bool) -> sweep.Sweep:
    axis = sweep.Axis.parse(vary)
    if coarse:
        axis = sweep.Axis(axis.path, axis.values[::10])
    line = None if design.to_stack().is_uniform else sweep.following(axis.path)
    window = predict.holding(design.window_nm, peaks)  # so that the map shows every published line
    return sweep.sweep(design, [axis], _MAP, window_nm=window, run_line=line)


def _tables(found: predict.Prediction, swept: sweep.Sweep, out: Path) -> None:
    write_atomically(out / "prediction.json", _json(found.document()))
    write_atomically(out / "modes.json", _json(found.solution.modes.records()))
    columns = (
        "quantity", "device", "published", "predicted", "predicted_err", "difference", "unit", "note", "source",
    )  # fmt: skip
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in found.published:
        cells = row.record()
        cells["device"] = "; ".join(f"{path}={value:g}" for path, value in row.device.items())
        writer.writerow(["" if cells[name] is None else cells[name] for name in columns])
    write_atomically(out / "published_and_predicted.csv", text.getvalue().encode())
    swept.write(out)


def _words_of_sweep(swept: sweep.Sweep, peaks: Sequence[Peak]) -> list[str]:
    """Where a published line's device is not stated: which devices are predicted to have it."""
    from cavitydesign.report.plots.maps import map_points

    axis = swept.axes[0]
    bright = map_points(swept, axis.path)["lasing"].tolist()  # device, λ, ⟨N⟩
    if not bright:
        return ["no bright mode of the sweep reaches threshold"]
    groups = itertools.groupby(bright, key=lambda row: row[0])
    best = [min(rows, key=lambda row: row[2]) for _, rows in groups]
    words = []
    name = {"lattice.period_nm": "Λ"}.get(axis.path, axis.path.rpartition(".")[0])
    for peak in peaks:
        if axis.path not in peak.unstated:
            continue
        if peak.has_wavelength:
            near = [x for x, w, _ in best if abs(w - peak.wavelength_nm) <= 5.0]
            text = f"{name} {_span(near)}" if near else f"no {name} of the sweep"
            words.append(f"{text} lases within 5 nm of {peak.wavelength_nm:g} nm")
        elif math.isfinite(peak["wavelength_from_nm"]) and not peak.texts.get("transition"):
            low, high = peak["wavelength_from_nm"], peak["wavelength_to_nm"]
            inside = [x for x, w, _ in best if low <= w <= high]
            words.append(f"{name} {_span(inside)} lases at {low:g}-{high:g} nm")
    x, wavelength, pairs = min(best, key=lambda row: row[2])
    return [*words, f"lowest bright threshold ⟨N⟩ = {pairs:.1f} at {name} {x:g}, {wavelength:.0f} nm"]


def _span(values: Sequence[float]) -> str:
    return f"{min(values):g}-{max(values):g}" if values else "none"


def _screen(
    target: Console, told: Sequence[Told], masks: Sequence[Mapping[str, Any]], out: Path, seconds: float
) -> None:
    columns = ("laser", "quantity", "published", "predicted", "verdict")
    table = output.table(*columns, left=("laser", "quantity", "verdict"))
    table.padding = (0, 1, 0, 0)
    for column in table.columns:
        column.no_wrap = True
    for item in told:
        for index, row in enumerate(item.rows):
            table.add_row(item.title if index == 0 else "", *_cells(row))
    target.print("Three published quantum-shell lasers, predicted from their geometry", style="bold")
    target.print(table)
    target.print(
        "a: period assigned by us, b: period not published. ±: from the assumed inputs only.", style="dim"
    )
    for item in told:
        target.print(Text.assemble((item.title, "bold"), f": {'; '.join(item.words)}."))
    for text in itertools.chain.from_iterable(item.doubtful for item in told):
        target.print(f"Not proven: {text}.", style="bold")
    named = "; ".join(f"{item.title}: {_short_names(item.assumed)}" for item in told)
    target.print(f"Assumed: {named}; and most numbers of the emitter.", style="dim")
    for text in dict.fromkeys(text for item in told for text in item.fitted):
        target.print(f"Fitted, so no test where it was fitted: {text}.", style="dim")
    good = "all read back as drawn" if all(item["ok"] for item in masks) else "NOT ALL READ BACK AS DRAWN"
    target.print(f"Masks: {len(masks)} files, {sum(item['devices'] for item in masks)} devices, {good}.")
    physics = sum(item.physics_s for item in told)
    took = f"Physics {physics:.1f} s, everything {seconds:.0f} s"
    target.print(f"{took}. Tables, figures and masks: {out}/", style="bold")


def _short_names(paths: Sequence[str]) -> str:
    """``pillar.height_nm, pillar.diameter_nm`` as ``pillar height, diameter``."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        part, _, name = path.removeprefix("materials.").replace(".material.n", ".n").rpartition(".")
        groups.setdefault(part.replace("_", " "), []).append(name.removesuffix("_nm").replace("_", " "))
    return ", ".join(f"{part} {'/'.join(names)}" for part, names in groups.items())


def _cells(fact: Fact) -> tuple[str, str, str, str]:
    unit = "" if fact.unit == "pairs per shell" else f" {fact.unit}".replace("uJ", "µJ").replace("cm2", "cm²")
    period = fact.device.get("lattice.period_nm")
    mark = " a" if fact.device_is == "assigned" else " b" if fact.unstated else ""
    quantity = fact.quantity.replace("threshold ⟨N⟩", "⟨N⟩ there")
    for word in ("range of ", "(", ")"):
        quantity = quantity.replace(word, "")
    quantity += (f" Λ {period:g}" if period else "") + mark
    edges = fact.published if isinstance(fact.published, tuple) else (fact.published,)
    digits = 0 if (fact.predicted or 0) >= 100 else 2
    predicted = output.figure(fact.predicted, fact.predicted_err, digits=digits)
    return quantity, "-".join(f"{x:g}" for x in edges) + unit, predicted, fact.verdict


def _json(content: Any) -> bytes:
    return json_text(content, indent=1).encode()


if __name__ == "__main__":
    from cavitydesign.cli import main

    main(["showcase", *sys.argv[1:]])
