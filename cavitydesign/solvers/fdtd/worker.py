"""Run one FDTD job with Meep: ``python -I worker.py FOLDER`` reads FOLDER/job.json and leaves its results there.

This is the only file that imports meep, and it imports nothing else of the package, because it is run by whichever
interpreter has Meep (often one with another numpy). Results, each written to a temporary name and renamed:

    result.json    run record and, per probe channel and time window, the Harminv fits
    series.npz     probe series (probes x samples) with t0 and dt, so that a fit can be repeated without a new run
    frames.npz     field arrays, where the job asks for them

stdout is log and progress (lines ``progress {json}``), never data. Lengths are in the job's own unit a, times in a/c,
frequencies in c/a; fields evolve as exp(-iωt) with ω = 2π (frequency + i decay), so a decaying mode has decay < 0.
SIGINT and SIGTERM end the run at the next chunk of steps; what was computed until then is fitted and written.
"""

import json
import os
import signal
import sys
import time

import numpy as np

FORMAT = 1
_stop_signals = []


# ---------------------------------------------------------------------------------------------------------- fits


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
    """Harminv on every channel (a weighted sum of probes) of a job."""

    def __init__(self, mp, job):
        self._mp, self._job = mp, job
        spec = job.get("fit") or {}
        self.spec = spec
        self.channels = job.get("channels") or [
            {"name": f"probe{i}", "group": "all", "terms": [[i, 1.0]]}
            for i in range(len(job.get("probes", [])))
        ]

    def fits(self, series, dt, start, end):
        """Fits of every channel in the window [start, end] (fractions of the series), amplitudes at the
        window's start.
        """
        count = series.shape[1]
        first, last = round(start * count), round(end * count)
        out = []
        if last - first < 16 or not self.spec:
            return out
        center, width = self.spec["center"], self.spec["width"]
        for channel in self.channels:
            data = sum(weight * series[index, first:last] for index, weight in channel["terms"])
            peak = float(np.max(np.abs(data)))
            if peak <= self.spec.get("silence", 1e-12) * self._peak(series):
                continue
            bands = self._mp.py_do_harminv(
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
                error = abs(error)
                out.append(
                    {
                        "channel": channel["name"],
                        "group": channel["group"],
                        "frequency": float(frequency.real),
                        "decay": float(frequency.imag),
                        "amplitude": float(abs(amplitude)),
                        "phase": float(np.angle(amplitude)),
                        "error": float(error),
                    }
                )
        return out

    def _peak(self, series):
        return float(np.max(np.abs(series))) + 1e-300

    def modes_by_group(self, fits):
        groups = {}
        for channel in self.channels:
            groups.setdefault(channel["group"], [])
        for fit in fits:
            groups[fit["group"]].append(fit)
        return {name: consensus(rows) for name, rows in groups.items()}


# ---------------------------------------------------------------------------------------------------------- build


def build(mp, job):
    """The Meep simulation of a job."""
    media = {name: _medium(mp, spec) for name, spec in job["materials"].items()}
    kwargs = {}
    if job.get("k_point") is not None:
        kwargs["k_point"] = mp.Vector3(*job["k_point"])
    layers = [_boundary_layer(mp, spec) for spec in job.get("boundary_layers", [])]
    return mp.Simulation(
        cell_size=mp.Vector3(*job["cell"]),
        dimensions=int(job["dimensions"]),
        resolution=float(job["resolution"]),
        Courant=float(job.get("courant", 0.5)),
        geometry=[_object(mp, spec, media) for spec in job.get("objects", [])],
        default_material=media[job["default_material"]] if job.get("default_material") else mp.Medium(),
        boundary_layers=layers,
        symmetries=[
            mp.Mirror(_direction(mp, spec["axis"]), phase=spec["phase"]) for spec in job.get("symmetries", [])
        ],
        sources=[_source(mp, spec) for spec in job.get("sources", [])],
        force_complex_fields=bool(job.get("complex_fields", False)),
        eps_averaging=bool(job.get("eps_averaging", True)),
        **kwargs,
    )


def _direction(mp, axis):
    return {"x": mp.X, "y": mp.Y, "z": mp.Z}[axis]


def _component(mp, name):
    return {n: getattr(mp, n) for n in ("Ex", "Ey", "Ez", "Hx", "Hy", "Hz")}[name]


def _boundary_layer(mp, spec):
    kind = {"pml": mp.PML, "absorber": mp.Absorber}[spec.get("kind", "pml")]
    kwargs = {}
    if spec.get("axis"):
        kwargs["direction"] = _direction(mp, spec["axis"])
    if spec.get("side"):
        kwargs["side"] = {"high": mp.High, "low": mp.Low}[spec["side"]]
    return kind(float(spec["thickness"]), **kwargs)


def _medium(mp, spec):
    kwargs = {}
    poles = [
        mp.LorentzianSusceptibility(frequency=pole["frequency"], gamma=pole["gamma"], sigma=pole["sigma"])
        for pole in spec.get("lorentz", [])
    ]
    if spec.get("atom"):
        atom = spec["atom"]
        transitions = [
            mp.Transition(
                line["from"],
                line["to"],
                transition_rate=line.get("transition_rate", 0),
                frequency=line.get("frequency", 0),
                sigma_diag=mp.Vector3(*([line.get("sigma", 0.0)] * 3)),
                gamma=line.get("gamma", 0),
                pumping_rate=line.get("pumping_rate", 0),
            )
            for line in atom["transitions"]
        ]
        poles.append(
            mp.MultilevelAtom(sigma=1, transitions=transitions, initial_populations=atom["populations"])
        )
    if poles:
        kwargs["E_susceptibilities"] = poles
    if spec.get("conductivity"):
        kwargs["D_conductivity"] = spec["conductivity"]
    return mp.Medium(epsilon=spec["epsilon"], **kwargs)


def _vector(mp, values):
    return mp.Vector3(*[mp.inf if value == "inf" else value for value in values])


def _object(mp, spec, media):
    material, center = media[spec["material"]], _vector(mp, spec.get("center", [0, 0, 0]))
    if spec["shape"] == "block":
        axes = {}
        if spec.get("e1"):
            axes = {"e1": _vector(mp, spec["e1"]), "e2": _vector(mp, spec["e2"])}
        return mp.Block(size=_vector(mp, spec["size"]), center=center, material=material, **axes)
    if spec["shape"] == "cylinder":
        height = mp.inf if spec["height"] == "inf" else spec["height"]
        axis = _vector(mp, spec.get("axis", [0, 0, 1]))
        return mp.Cylinder(spec["radius"], height=height, axis=axis, center=center, material=material)
    if spec["shape"] == "prism":
        height = mp.inf if spec["height"] == "inf" else spec["height"]
        corners = [_vector(mp, corner) for corner in spec["vertices"]]
        return mp.Prism(
            corners, height=height, axis=_vector(mp, spec.get("axis", [0, 0, 1])), material=material
        )
    raise ValueError(f"unknown shape {spec['shape']!r}: block, cylinder or prism")


def _source(mp, spec):
    pulse = spec["pulse"]
    if pulse.get("continuous"):
        src = mp.ContinuousSource(pulse["frequency"], width=pulse.get("ramp", 0))
    else:
        src = mp.GaussianSource(pulse["frequency"], fwidth=pulse["width"], cutoff=pulse.get("cutoff", 5.0))
    return mp.Source(
        src,
        _component(mp, spec["component"]),
        center=_vector(mp, spec["center"]),
        size=_vector(mp, spec.get("size", [0, 0, 0])),
        amplitude=complex(*spec.get("amplitude", [1.0, 0.0])),
    )


# ------------------------------------------------------------------------------------------------------------ run


class Recorder:
    """Samples the probes every ``stride`` steps into one growing array."""

    def __init__(self, mp, sim, job):
        cylindrical = False
        self._fields = sim.fields
        self._probes = [
            (
                _component(mp, probe["component"]),
                mp.py_v3_to_vec(sim.dimensions, _vector(mp, probe["point"]), cylindrical),
            )
            for probe in job.get("probes", [])
        ]
        self._rows, self.t0 = [], None

    def sample(self):
        if self.t0 is None:
            self.t0 = self._fields.time()
        get = self._fields.get_field
        self._rows.append([get(component, point) for component, point in self._probes])

    def series(self):
        if not self._rows:
            return np.zeros((len(self._probes), 0), dtype=complex)
        return np.array(self._rows, dtype=complex).T


def run(mp, job, folder):
    """Step the job until its fit has converged, its time is over or it is asked to stop; write the results."""
    began = time.time()
    sim = build(mp, job)
    sim.init_sim()
    control = job["run"]
    dt = sim.fields.dt
    steps_per_sample = (
        max(1, int(control.get("sample_every", 0.0) / dt)) if control.get("sample_every") else 1
    )
    source_end = sim.fields.last_source_time() if job.get("sources") else 0.0
    start = source_end + control.get("settle", 0.0)
    if control.get("record_from_start"):
        start = 0.0
    t_max = start + control["duration"]
    t_check = start + control.get("first_check", control["duration"])
    recorder, fitter = Recorder(mp, sim, job), Fitter(mp, job)
    flux = None
    status, history, steps, last_line, previous = "time over", [], 0, 0.0, None
    setup_s = time.time() - began
    began_stepping = time.time()
    while True:
        now = sim.fields.time()
        chunk_end = min(t_max, now + control.get("chunk", 5.0))
        while sim.fields.time() < chunk_end - 0.5 * dt:
            if steps % steps_per_sample == 0 and sim.fields.time() >= start - 0.5 * dt:
                recorder.sample()
            sim.fields.step()
            steps += 1
        now = sim.fields.time()
        if flux is None and job.get("fluxes") and now >= start:
            flux = _add_fluxes(mp, sim, job)
        wall = time.time() - began
        asked = bool(_stop_signals) or wall > control.get("wall_limit_s", float("inf"))
        if mp.sum_to_all(1.0 if asked else 0.0) > 0:
            status = "interrupted" if _stop_signals else "wall time over"
            break
        if time.time() - last_line > 1.0 and mp.am_master():
            last_line = time.time()
            print(
                "progress",
                json.dumps({"t": now, "t_max": t_max, "wall_s": round(wall, 2), "steps": steps}),
                flush=True,
            )
        if now >= t_max - 0.5 * dt:
            break
        if now >= t_check and fitter.spec and control.get("converge"):
            t_check = start + (now - start) * control.get("check_growth", 1.3)
            fits = fitter.fits(recorder.series(), dt * steps_per_sample, 0.0, 1.0)
            modes = fitter.modes_by_group(fits)
            history.append(
                {
                    "t": now,
                    "modes": {g: [(m["frequency"], m["decay"]) for m in ms] for g, ms in modes.items()},
                }
            )
            done = previous is not None and all(
                agree(
                    previous[group],
                    modes[group],
                    frequency_tolerance=control["converge"]["frequency"],
                    decay_tolerance=control["converge"]["decay"],
                    floor=control["converge"].get("floor", 1e-3),
                )
                for group in modes
            )
            previous = modes
            if done:
                status = "converged"
                break
    stepping_s = time.time() - began_stepping
    _finish(
        mp,
        sim,
        job,
        folder,
        recorder,
        fitter,
        flux,
        status=status,
        history=history,
        steps=steps,
        start=start,
        source_end=source_end,
        steps_per_sample=steps_per_sample,
        setup_s=setup_s,
        stepping_s=stepping_s,
    )


def _finish(mp, sim, job, folder, recorder, fitter, flux, **record):
    """Fit the series in every window of the job and write the results."""
    series, dt = recorder.series(), sim.fields.dt * record["steps_per_sample"]
    windows = (job.get("fit") or {}).get("windows", [[0.0, 1.0]])
    fits = (
        [{"window": window, "fits": fitter.fits(series, dt, *window)} for window in windows]
        if fitter.spec
        else []
    )
    result = {
        "format": FORMAT,
        "meep": mp.__version__,
        "ranks": mp.count_processors(),
        "time": sim.fields.time(),
        "dt": sim.fields.dt,
        "sample_dt": dt,
        "t0": recorder.t0,
        "channels": fitter.channels,
        "windows": fits,
        "fluxes": _read_fluxes(mp, flux),
        **record,
    }
    frames = _frames(mp, sim, job)
    if mp.am_master():
        if job.get("keep_series", True):
            real = {} if np.iscomplexobj(series) and np.any(series.imag) else {"series": series.real}
            _write_npz(
                os.path.join(folder, "series.npz"),
                {"series": series, "t0": recorder.t0 or 0.0, "dt": dt, **real},
            )
        if frames:
            _write_npz(os.path.join(folder, "frames.npz"), frames)
        _write(os.path.join(folder, "result.json"), json.dumps(result).encode())
        print("wrote result.json:", record["status"], "after", record["steps"], "steps", flush=True)


def _add_fluxes(mp, sim, job):
    """Flux monitors, added when the sources have died so that they see only the ringing modes."""
    out = []
    for spec in job["fluxes"]:
        regions = [
            mp.FluxRegion(
                center=_vector(mp, face["center"]),
                size=_vector(mp, face["size"]),
                direction=_direction(mp, face["axis"]),
                weight=face.get("weight", 1.0),
            )
            for face in spec["faces"]
        ]
        out.append((spec["name"], sim.add_flux(spec["frequency"], 0, 1, *regions)))
    sim._evaluate_dft_objects()  # as sim.run() would: they are made when first looked at
    return out


def _read_fluxes(mp, fluxes):
    return {name: float(mp.get_fluxes(flux)[0]) for name, flux in fluxes or []}


def _frames(mp, sim, job):
    """Field arrays of planes, ``count`` of them spread over one period of ``frequency``, and the permittivity there."""
    out = {}
    spec = job.get("frames")
    if not spec:
        return out
    period_steps = 1.0 / spec["frequency"] / sim.fields.dt
    planes = spec["planes"]
    stacks = {plane["name"]: [] for plane in planes}
    taken = 0
    for index in range(int(spec["count"])):
        while taken < round(index * period_steps / spec["count"]):
            sim.fields.step()
            taken += 1
        for plane in planes:
            center, size = _vector(mp, plane["center"]), _vector(mp, plane["size"])
            stacks[plane["name"]].append(
                np.array(
                    [
                        sim.get_array(component=_component(mp, c), center=center, size=size)
                        for c in plane["components"]
                    ]
                )
            )
    for plane in planes:
        center, size = _vector(mp, plane["center"]), _vector(mp, plane["size"])
        out[plane["name"]] = np.array(stacks[plane["name"]])
        out[plane["name"] + "_eps"] = sim.get_array(component=mp.Dielectric, center=center, size=size)
    return out


def _write(path, data):
    part = f"{path}.{os.getpid()}.part"
    with open(part, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def _write_npz(path, arrays):
    part = f"{path}.{os.getpid()}.part"
    with open(part, "wb") as file:
        np.savez(file, **arrays)
    os.replace(part, path)


def main(folder, wall_limit_s=None):
    """Run the job in ``folder``; the exit code is 0 when result.json has been written."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _stop_signals.append(1))
    with open(os.path.join(folder, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    if job.get("format") != FORMAT:
        raise SystemExit(f"job.json has format {job.get('format')}, this worker reads {FORMAT}")
    if wall_limit_s is not None:
        job["run"]["wall_limit_s"] = float(wall_limit_s)
    import meep as mp

    mp.verbosity(int(job.get("verbosity", 0)))
    run(mp, job, folder)


if __name__ == "__main__":
    main(*sys.argv[1:3])
