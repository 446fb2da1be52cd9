"""Run one FDTD job with Meep: ``python -I worker.py FOLDER`` reads FOLDER/job.json and leaves its results there.

This is the only file that imports meep. Beside fitting.py, which lies in its own folder, it imports nothing of the
package, because it is run by whichever interpreter has Meep (often one with another numpy). Results, each written to a
temporary name and renamed:

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

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # -I leaves it out
from fitting import Fitter, agree

del sys.path[0]  # nothing else is to be found there, least of all by meep's imports

FORMAT = 1
_stop_signals = []


# ---------------------------------------------------------------------------------------------------------- build


def build(mp, job):
    """The Meep simulation of a job."""
    media = {name: _medium(mp, spec) for name, spec in job["materials"].items()}
    extra = {"k_point": mp.Vector3(*job["k_point"])} if "k_point" in job else {}
    return mp.Simulation(
        cell_size=mp.Vector3(*job["cell"]),
        dimensions=int(job["dimensions"]),
        resolution=float(job["resolution"]),
        geometry=[_object(mp, spec, media) for spec in job.get("objects", [])],
        default_material=media[job["default_material"]] if job.get("default_material") else mp.Medium(),
        boundary_layers=[_boundary_layer(mp, spec) for spec in job.get("boundary_layers", [])],
        symmetries=[
            mp.Mirror(_direction(mp, spec["axis"]), phase=spec["phase"]) for spec in job.get("symmetries", [])
        ],
        sources=[_source(mp, spec) for spec in job.get("sources", [])],
        force_complex_fields=bool(job.get("complex_fields", False)),
        **extra,
    )


def _direction(mp, axis):
    return {"x": mp.X, "y": mp.Y, "z": mp.Z}[axis]


def _component(mp, name):
    return {n: getattr(mp, n) for n in ("Ex", "Ey", "Ez", "Hx", "Hy", "Hz")}[name]


def _boundary_layer(mp, spec):
    direction = {"direction": _direction(mp, spec["axis"])} if "axis" in spec else {}
    return mp.PML(float(spec["thickness"]), **direction)


def _medium(mp, spec):
    poles = [
        mp.LorentzianSusceptibility(frequency=pole["frequency"], gamma=pole["gamma"], sigma=pole["sigma"])
        for pole in spec.get("lorentz", [])
    ]
    if spec.get("atom"):
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
            for line in spec["atom"]["transitions"]
        ]
        populations = spec["atom"]["populations"]
        poles.append(mp.MultilevelAtom(sigma=1, transitions=transitions, initial_populations=populations))
    return mp.Medium(
        epsilon=spec["epsilon"], E_susceptibilities=poles, D_conductivity=spec.get("conductivity", 0.0)
    )


def _vector(mp, values):
    return mp.Vector3(*[mp.inf if value == "inf" else value for value in values])


def _object(mp, spec, media):
    material, center = media[spec["material"]], _vector(mp, spec.get("center", [0, 0, 0]))
    if spec["shape"] == "block":
        axes = {name: _vector(mp, spec[name]) for name in ("e1", "e2") if name in spec}
        return mp.Block(size=_vector(mp, spec["size"]), center=center, material=material, **axes)
    if spec["shape"] not in ("cylinder", "prism"):
        raise ValueError(f"unknown shape {spec['shape']!r}: block, cylinder or prism")
    height = mp.inf if spec["height"] == "inf" else spec["height"]
    if spec["shape"] == "cylinder":
        return mp.Cylinder(spec["radius"], height=height, center=center, material=material)
    corners = [_vector(mp, corner) for corner in spec["vertices"]]
    return mp.Prism(corners, height=height, axis=mp.Vector3(0, 0, 1), material=material)


def _source(mp, spec):
    pulse = spec["pulse"]
    return mp.Source(
        mp.GaussianSource(pulse["frequency"], fwidth=pulse["width"], cutoff=pulse.get("cutoff", 5.0)),
        _component(mp, spec["component"]),
        center=_vector(mp, spec["center"]),
        amplitude=complex(*spec.get("amplitude", [1.0, 0.0])),
    )


# ------------------------------------------------------------------------------------------------------------ run


class Recorder:
    """Steps the fields, and samples the probes every ``every`` steps from ``start`` on into one growing array."""

    def __init__(self, mp, sim, job, *, start, every):
        self._fields, self._start, self._every = sim.fields, start, every
        self._probes = [
            (
                _component(mp, probe["component"]),
                mp.py_v3_to_vec(sim.dimensions, _vector(mp, probe["point"]), False),  # not cylindrical
            )
            for probe in job.get("probes", [])
        ]
        self._rows, self.t0, self.steps = [], None, 0
        self.dt = sim.fields.dt * every

    def step_until(self, end):
        half = 0.5 * self._fields.dt
        while self._fields.time() < end - half:
            if self.steps % self._every == 0 and self._fields.time() >= self._start - half:
                self._sample()
            self._fields.step()
            self.steps += 1

    def _sample(self):
        if self.t0 is None:
            self.t0 = self._fields.time()
        get = self._fields.get_field
        self._rows.append([get(component, point) for component, point in self._probes])

    def series(self):
        if not self._rows:
            return np.zeros((len(self._probes), 0), dtype=complex)
        return np.array(self._rows, dtype=complex).T


class Convergence:
    """Fits what has been recorded at growing intervals, and tells when the modes no longer change."""

    def __init__(self, fitter, control, start):
        self._fitter, self._wanted = fitter, control.get("converge")
        self._start, self._growth = start, control.get("check_growth", 1.3)
        self._next = start + control.get("first_check", control["duration"])
        self._previous, self.history = None, []

    def reached(self, now, recorder):
        if now < self._next or not (self._fitter.spec and self._wanted):
            return False
        self._next = self._start + (now - self._start) * self._growth
        modes = self._fitter.modes_by_group(self._fitter.fits(recorder.series(), recorder.dt, 0.0, 1.0))
        found = {group: [(m["frequency"], m["decay"]) for m in rows] for group, rows in modes.items()}
        self.history.append({"t": now, "modes": found})
        previous, self._previous = self._previous, modes
        allowed = {f"{name}_tolerance": self._wanted[name] for name in ("frequency", "decay")}
        allowed["floor"] = self._wanted["floor"]
        return previous is not None and all(
            agree(previous[group], modes[group], **allowed) for group in modes
        )


def run(mp, job, folder):
    """Step the job until its fit has converged, its time is over or it is asked to stop; write the results."""
    began = time.time()
    sim = build(mp, job)
    sim.init_sim()
    control, dt = job["run"], sim.fields.dt
    every = max(1, int(control["sample_every"] / dt)) if control.get("sample_every") else 1
    source_end = sim.fields.last_source_time() if job.get("sources") else 0.0
    start = source_end + control.get("settle", 0.0)
    t_max = start + control["duration"]
    recorder, fitter = Recorder(mp, sim, job, start=start, every=every), Fitter(mp.py_do_harminv, job)
    convergence = Convergence(fitter, control, start)
    flux, status, last_line, now = None, "", 0.0, sim.fields.time()
    setup_s = time.time() - began
    began_stepping = time.time()
    while not status:
        recorder.step_until(min(t_max, now + control.get("chunk", 5.0)))
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
            state = {"t": now, "t_max": t_max, "wall_s": round(wall, 2), "steps": recorder.steps}
            print("progress", json.dumps(state), flush=True)
        if now >= t_max - 0.5 * dt:
            status = "time over"
        elif convergence.reached(now, recorder):
            status = "converged"
    record = {
        "status": status,
        "history": convergence.history,
        "steps": recorder.steps,
        "start": start,
        "source_end": source_end,
        "steps_per_sample": every,
        "setup_s": setup_s,
        "stepping_s": time.time() - began_stepping,
    }
    _finish(mp, sim, job, folder, recorder, fitter, flux, record)


def _finish(mp, sim, job, folder, recorder, fitter, flux, record):
    """Fit the series in every window of the job and write the results."""
    series, dt = recorder.series(), recorder.dt
    windows = fitter.spec["windows"] if fitter.spec else []
    result = {
        "format": FORMAT,
        "meep": mp.__version__,
        "ranks": mp.count_processors(),
        "time": sim.fields.time(),
        "dt": sim.fields.dt,
        "sample_dt": dt,
        "t0": recorder.t0,
        "channels": fitter.channels,
        "windows": [{"window": window, "fits": fitter.fits(series, dt, *window)} for window in windows],
        "fluxes": {name: float(mp.get_fluxes(gathered)[0]) for name, gathered in flux or []},
        **record,
    }
    frames = _frames(mp, sim, job)
    if not mp.am_master():
        return
    if job.get("keep_series", True):
        kept = series if np.iscomplexobj(series) and np.any(series.imag) else series.real
        _write_npz(os.path.join(folder, "series.npz"), {"series": kept, "t0": recorder.t0 or 0.0, "dt": dt})
    if frames:
        _write_npz(os.path.join(folder, "frames.npz"), frames)
    _write(os.path.join(folder, "result.json"), lambda file: file.write(json.dumps(result).encode()))
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


def _frames(mp, sim, job):
    """Field arrays of planes, ``count`` of them spread over one period of ``frequency``, and the permittivity there."""
    spec = job.get("frames")
    if not spec:
        return {}
    step = 1.0 / spec["frequency"] / sim.fields.dt / spec["count"]
    planes = {
        plane["name"]: (plane, {name: _vector(mp, plane[name]) for name in ("center", "size")})
        for plane in spec["planes"]
    }
    stacks = {name: [] for name in planes}
    taken = 0
    for index in range(int(spec["count"])):
        while taken < round(index * step):
            sim.fields.step()
            taken += 1
        for name, (plane, where) in planes.items():
            arrays = [sim.get_array(component=_component(mp, one), **where) for one in plane["components"]]
            stacks[name].append(np.array(arrays))
    out = {name: np.array(frames) for name, frames in stacks.items()}
    return out | {
        f"{name}_eps": sim.get_array(component=mp.Dielectric, **where) for name, (_, where) in planes.items()
    }


def _write(path, write):
    """``write(file)`` under a temporary name, which is then the file's."""
    part = f"{path}.{os.getpid()}.part"
    with open(part, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def _write_npz(path, arrays):
    _write(path, lambda file: np.savez(file, **arrays))


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

    mp.verbosity(0)
    run(mp, job, folder)


if __name__ == "__main__":
    main(*sys.argv[1:3])
