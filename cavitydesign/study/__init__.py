"""What is done with solvers and gain: results kept, sweeps, comparison with measured peaks, calibration, tolerances."""
