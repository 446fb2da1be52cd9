"""Pictures of what FDTD says: both witnesses side by side, the field of a mode, and its animation. A leaf,
like plots.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.files import write_atomically
from cavitydesign.report.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cavitydesign.solvers.fdtd.fields import ModeField, Plane
    from cavitydesign.solvers.solution import Mode
    from cavitydesign.study.verify import Verification

_FAST, _FDTD = "#0072B2", "#D55E00"


def verification_picture(found: Verification) -> Figure:
    """Every mode of both methods over wavelength and 1/Q (top), and the pairs' differences with joint error
    bars (bottom).
    """
    floor = 1e-6
    with styled(8.4, 6.0) as figure:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        heights = []
        for mode, marker, colour, label in _marks(found):
            heights.append(max(floor, 1.0 / mode.q) if mode.q > 0 else floor)
            top.plot(
                mode.wavelength_nm, heights[-1], marker, color=colour, mfc="none", ms=9, mew=1.6, label=label
            )
        for pair in found.pairs:
            y = max(floor, 1.0 / pair.fast.q) if pair.fast.q > 0 else floor
            name = pair.fast.symmetry or pair.fdtd.symmetry
            top.annotate(name, (pair.fast.wavelength_nm, y), xytext=(7, 5), textcoords="offset points")
        handles, labels = top.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        # a decade at least, so that two methods that agree look alike
        low, high = min(heights, default=floor), max(heights, default=1.0)
        top.set(yscale="log", ylabel="1/Q (at the floor: no loss)", ylim=(low / 4.0, high * 4.0))
        counts = (len(found.pairs), len(found.only_fast), len(found.only_fdtd))
        top.set_title("{} matched, {} only by the fast solver, {} only by FDTD".format(*counts))
        if unique:
            top.legend(unique.values(), unique.keys(), loc="lower left", bbox_to_anchor=(0.0, 1.06), ncols=4)
        x = [pair.fast.wavelength_nm for pair in found.pairs]
        y = [pair.wavelength_difference_nm for pair in found.pairs]
        bars = [pair.wavelength_joint_err_nm for pair in found.pairs]
        bottom.axhline(0.0, color="0.6", lw=0.8)
        bottom.errorbar(x, y, yerr=bars, fmt="o", color=_FDTD, capsize=3)
        bottom.set(ylabel="FDTD - fast (nm)", xlabel="wavelength λ (nm)", xlim=found.window_nm)
        return figure


def _marks(found: Verification) -> list[tuple[Mode, str, str, str]]:
    out = []
    for pair in found.pairs:
        out += [(pair.fast, "o", _FAST, "fast solver"), (pair.fdtd, "x", _FDTD, "FDTD")]
    out += [(mode, "s", _FAST, "only the fast solver") for mode in found.only_fast]
    out += [(mode, "D", _FDTD, "only FDTD") for mode in found.only_fdtd]
    return out


def field_picture(mode: ModeField, *, frame: int | None = None) -> Figure:
    """The strongest component of E in every recorded plane, with the outline of the structure.

    ``frame`` is the moment to show; None takes the one with the largest field.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(mode.planes), 4.2), layout="constrained")
    for axes, plane in zip(np.atleast_1d(figure.subplots(1, len(mode.planes))), mode.planes, strict=True):
        component, values = _strongest(plane)
        index = (
            int(np.argmax(np.abs(values).reshape(len(values), -1).max(axis=1))) if frame is None else frame
        )
        _draw(axes, plane, values[index], float(np.abs(values).max()), component)
    q = f"Q = {mode.q:.0f}" if math.isfinite(mode.q) else "no loss"
    figure.suptitle(f"{mode.symmetry} {mode.wavelength_nm:.2f} nm, {q}".strip())
    return figure


def save_animation(mode: ModeField, path: Path | str, *, frames_per_s: int = 12) -> Path:
    """One optical period as an endless GIF, written whole or not at all. For MP4 convert it with ``ffmpeg -i
    mode.gif mode.mp4``.
    """
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    pictures = []
    for index in range(len(mode.planes[0].frames)):
        canvas = FigureCanvasAgg(field_picture(mode, frame=index))
        canvas.draw()
        pictures.append(
            Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("P", palette=Image.Palette.ADAPTIVE)
        )
    memory = io.BytesIO()
    pictures[0].save(
        memory,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 / frames_per_s),
        loop=0,
    )
    target = Path(path)
    write_atomically(target, memory.getvalue())
    return target


def _strongest(plane: Plane) -> tuple[str, Any]:
    power = (plane.frames**2).sum(axis=tuple(i for i in range(plane.frames.ndim) if i != 1))
    best = int(np.argmax(power))
    return plane.components[best], plane.frames[:, best]


def _draw(axes: Any, plane: Plane, values: Any, top: float, component: str) -> None:
    if values.ndim == 1:
        z = np.linspace(*plane.extent_nm[:2], len(values))
        axes.plot(z, values / top, color=_FDTD)
        axes.plot(z, np.sqrt(plane.eps) / np.sqrt(plane.eps).max(), color="0.6", lw=0.8)
        axes.set_xlabel("z (nm)")
        axes.set_ylabel(f"{component} (grey: index)")
        return
    axes.imshow(
        values.T,
        origin="lower",
        extent=plane.extent_nm,
        cmap="RdBu",
        interpolation="bilinear",
        vmin=-top,
        vmax=top,
        aspect="auto" if plane.name == "xz" else "equal",
    )
    first = np.linspace(*plane.extent_nm[:2], plane.eps.shape[0])
    second = np.linspace(*plane.extent_nm[2:], plane.eps.shape[1])
    spread = np.ptp(plane.eps)
    if spread > 1e-6:
        levels = np.quantile(np.unique(np.round(plane.eps, 3)), [0.15, 0.5, 0.85])
        axes.contour(first, second, plane.eps.T, levels=np.unique(levels), colors="0.3", linewidths=0.5)
    axes.set_xlabel(f"{plane.axes[0]} (nm)")
    axes.set_ylabel(f"{plane.axes[1]} (nm)")
    axes.set_title(component)
