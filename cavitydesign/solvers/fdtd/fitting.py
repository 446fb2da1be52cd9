"""From ring-down series to fits, and from the fits of several probe channels to modes.

The worker runs this beside itself, in an interpreter that has Meep and none of this package, and the harvest uses it
again; so it imports numpy and nothing else.
"""

import numpy as np


def consensus(fits, *, tolerance=3e-4, min_decay_resolution=0.1):
    """Merge the fits of several channels into modes: a list of dicts sorted by frequency.

    A mode is a group of fits, at most one per channel, whose frequencies agree within ``tolerance`` of f plus
    ``min_decay_resolution`` line widths; the mean is weighted by 1/error² and by the squared amplitude.
    """
    rows = sorted((fit for fit in fits if np.isfinite(fit["error"])), key=lambda fit: -_strength(fit))
    modes = []
    for fit in rows:
        width = tolerance * fit["frequency"] + min_decay_resolution * abs(fit["decay"])
        for mode in modes:
            near = abs(mode["fits"][0]["frequency"] - fit["frequency"]) < width
            if near and all(other["channel"] != fit["channel"] for other in mode["fits"]):
                mode["fits"].append(fit)
                break
        else:
            modes.append({"fits": [fit]})
    for mode in modes:
        weight = np.array([_strength(fit) for fit in mode["fits"]])
        weight = weight / weight.sum()
        for name in ("frequency", "decay"):
            values = np.array([fit[name] for fit in mode["fits"]])
            mode[name] = float(weight @ values)
            mode[name + "_spread"] = float(np.sqrt(weight @ (values - mode[name]) ** 2))
        mode["amplitude"] = float(max(fit["amplitude"] for fit in mode["fits"]))
        mode["error"] = float(min(fit["error"] for fit in mode["fits"]))
        mode["channels"] = [fit["channel"] for fit in mode["fits"]]
    return sorted(modes, key=lambda mode: mode["frequency"])


def _strength(fit):
    return (fit["amplitude"] / max(fit["error"], 1e-9)) ** 2 + 1e-300


def agree(old, new, *, frequency_tolerance, decay_tolerance, floor):
    """True when every mode of ``new`` stronger than ``floor`` of the strongest is in ``old``, unchanged."""
    if not new:
        return not old
    top = max(mode["amplitude"] for mode in new)
    for mode in new:
        if mode["amplitude"] < floor * top or mode["error"] > 0.01 or len(mode["channels"]) < 2:
            continue
        for other in old:
            moved = abs(other["frequency"] - mode["frequency"])
            slower = abs(other["decay"] - mode["decay"])
            allowed = decay_tolerance * abs(mode["decay"]) + 0.1 * frequency_tolerance * mode["frequency"]
            if (
                moved < frequency_tolerance * mode["frequency"] + 0.01 * abs(mode["decay"])
                and slower < allowed
            ):
                break
        else:
            return False
    return True


class Fitter:
    """Harminv (Meep's ``py_do_harminv``, passed in) on every channel, a weighted sum of probes, of a job."""

    def __init__(self, harminv, job):
        self._harminv = harminv
        self.spec = job.get("fit") or {}
        self.channels = job.get("channels") or [
            {"name": f"probe{i}", "group": "all", "terms": [[i, 1.0]]}
            for i in range(len(job.get("probes", [])))
        ]

    def fits(self, series, dt, start, end):
        """Fits of every channel in the window [start, end], fractions of the series; amplitudes at its start."""
        count = series.shape[1]
        first, last = round(start * count), round(end * count)
        out = []
        if last - first < 16 or not self.spec:
            return out
        center, width = self.spec["center"], self.spec["width"]
        loudest = float(np.max(np.abs(series))) + 1e-300
        for channel in self.channels:
            data = sum(weight * series[index, first:last] for index, weight in channel["terms"])
            peak = float(np.max(np.abs(data)))
            if peak <= self.spec.get("silence", 1e-12) * loudest:
                continue
            bands = self._harminv(
                list(np.asarray(data, dtype=complex)),
                dt,
                center - width / 2,
                center + width / 2,
                int(self.spec.get("max_modes", 100)),
                float(self.spec.get("density", 1.1)),
                float(self.spec.get("q_min", 50.0)),
                float("inf"),
                float(self.spec.get("max_error", 0.01)),
                -1.0,
                -1.0,
            )
            for frequency, amplitude, error in bands:
                out.append(
                    {
                        "channel": channel["name"],
                        "group": channel["group"],
                        "frequency": float(frequency.real),
                        "decay": float(frequency.imag),
                        "amplitude": float(abs(amplitude)),
                        "phase": float(np.angle(amplitude)),
                        "error": float(abs(error)),
                    }
                )
        return out

    def modes_by_group(self, fits):
        """The modes of every fit group of the job."""
        groups = {}
        for channel in self.channels:
            groups.setdefault(channel["group"], [])
        for fit in fits:
            groups[fit["group"]].append(fit)
        return {name: consensus(rows) for name, rows in groups.items()}
