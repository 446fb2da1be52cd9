"""Pictures of what FDTD says: both witnesses side by side, the field of a mode, and its animation."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from cavitydesign.files import write_atomically
from cavitydesign.report.plots.style import BLACK, BLUE, GREEN, RED, each_once, note, quality, styled

if TYPE_CHECKING:
    from cavitydesign.solvers.fdtd.fields import ModeField, Plane
    from cavitydesign.solvers.solution import Mode
    from cavitydesign.study.verify import Verification


_FLOOR = 1e-6  # of 1/Q


def verification_picture(found: Verification) -> Figure:
    """Every mode of both methods over wavelength and 1/Q (top), and the pairs' differences with joint error bars.

    A pair that disagrees, beyond three joint error bars in λ or in Q, says so and has a mark of its own below.
    """
    with styled(8.4, 6.0) as figure:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for mode, marker, colour, label in _marks(found):
            ring = {"mfc": "none", "ms": 9, "mew": 1.6}
            top.plot(mode.wavelength_nm, _loss(mode), marker, color=colour, label=label, **ring)
        for pair in found.pairs:
            name, colour = pair.fast.symmetry or pair.fdtd.symmetry, BLACK
            if not pair.agrees:
                name, colour = f"{name} disagrees".strip(), RED
            note(top, name, (pair.fast.wavelength_nm, _loss(pair.fast)), shift=(7, 5), color=colour)
        # a decade at least, so that two methods that agree look alike
        heights = [_loss(mode) for mode, *_ in _marks(found)]
        low, high = min(heights, default=_FLOOR), max(heights, default=1.0)
        top.set(yscale="log", ylabel="1/Q (at the floor: no loss)", ylim=(low / 4.0, high * 4.0))
        counts = (len(found.pairs), len(found.only_fast), len(found.only_fdtd))
        top.set_title("{} matched, {} only by the fast solver, {} only by FDTD".format(*counts))
        if heights:
            top.legend(**each_once(top), loc="lower left", bbox_to_anchor=(0.0, 1.06), ncols=4)
        bottom.axhline(0.0, color="0.6", lw=0.8)
        for pair in found.pairs:
            mark = {"fmt": "o", "color": GREEN, "label": "agree"}
            if not pair.agrees:
                mark = {"fmt": "X", "color": RED, "label": "disagree", "markersize": 9}
            x, y = pair.fast.wavelength_nm, pair.wavelength_difference_nm
            bottom.errorbar(x, y, yerr=pair.wavelength_joint_err_nm, capsize=3, **mark)
        if found.pairs:
            bottom.legend(**each_once(bottom), loc="upper right", bbox_to_anchor=(1.0, 1.16), ncols=2)
        bottom.set(ylabel="FDTD - fast (nm)", xlabel="wavelength λ (nm)", xlim=found.window_nm)
        return figure


def _loss(mode: Mode) -> float:
    """1/Q as it is drawn: no lower than the floor, at which all stand that lose nothing."""
    return max(_FLOOR, 1.0 / mode.q) if mode.q > 0.0 else _FLOOR


def _marks(found: Verification) -> list[tuple[Mode, str, str, str]]:
    out = [
        mark for p in found.pairs for mark in ((p.fast, "o", BLUE, "fast solver"), (p.fdtd, "x", RED, "FDTD"))
    ]
    out += [(mode, "s", BLUE, "only the fast solver") for mode in found.only_fast]
    out += [(mode, "D", RED, "only FDTD") for mode in found.only_fdtd]
    return out


def field_picture(mode: ModeField, *, frame: int | None = None) -> Figure:
    """The strongest component of E in every recorded plane, with the outline of the structure.

    ``frame`` is the moment to show; None takes the one with the largest field.
    """
    figure = Figure(figsize=(4.2 * len(mode.planes), 4.2), layout="constrained")
    for axes, plane in zip(np.atleast_1d(figure.subplots(1, len(mode.planes))), mode.planes, strict=True):
        component, values = _strongest(plane)
        largest = np.abs(values).reshape(len(values), -1).max(axis=1)
        index = int(np.argmax(largest)) if frame is None else frame
        _draw(axes, plane, values[index], float(largest.max()), component)
    figure.suptitle(f"{mode.symmetry} {mode.wavelength_nm:.2f} nm, {quality(mode.q)}".strip())
    return figure


def save_animation(mode: ModeField, path: Path | str, *, frames_per_s: int = 12) -> Path:
    """One optical period as an endless GIF, written whole or not at all.

    For MP4 convert it with ``ffmpeg -i mode.gif mode.mp4``.
    """
    pictures = []
    for index in range(len(mode.planes[0].frames)):
        canvas = FigureCanvasAgg(field_picture(mode, frame=index))
        canvas.draw()
        drawn = Image.fromarray(np.asarray(canvas.buffer_rgba()))
        pictures.append(drawn.convert("P", palette=Image.Palette.ADAPTIVE))
    memory, endless = io.BytesIO(), {"loop": 0, "duration": round(1000 / frames_per_s)}
    pictures[0].save(memory, format="GIF", save_all=True, append_images=pictures[1:], **endless)
    write_atomically(Path(path), memory.getvalue())
    return Path(path)


def _strongest(plane: Plane) -> tuple[str, Any]:
    power = (plane.frames**2).sum(axis=tuple(i for i in range(plane.frames.ndim) if i != 1))
    best = int(np.argmax(power))
    return plane.components[best], plane.frames[:, best]


def _draw(axes: Any, plane: Plane, values: Any, top: float, component: str) -> None:
    if values.ndim == 1:
        z = np.linspace(*plane.extent_nm[:2], len(values))
        axes.plot(z, values / top, color=RED)
        axes.plot(z, np.sqrt(plane.eps) / np.sqrt(plane.eps).max(), color="0.6", lw=0.8)
        axes.set(xlabel="z (nm)", ylabel=f"{component} (grey: index)")
        return
    axes.imshow(
        values.T, origin="lower", extent=plane.extent_nm, cmap="RdBu", interpolation="bilinear", vmin=-top, vmax=top,
        aspect="auto" if plane.name == "xz" else "equal",
    )  # fmt: skip
    if np.ptp(plane.eps) > 1e-6:
        first = np.linspace(*plane.extent_nm[:2], plane.eps.shape[0])
        second = np.linspace(*plane.extent_nm[2:], plane.eps.shape[1])
        levels = np.quantile(np.unique(np.round(plane.eps, 3)), [0.15, 0.5, 0.85])
        axes.contour(first, second, plane.eps.T, levels=np.unique(levels), colors="0.3", linewidths=0.5)
    axes.set(xlabel=f"{plane.axes[0]} (nm)", ylabel=f"{plane.axes[1]} (nm)", title=component)
