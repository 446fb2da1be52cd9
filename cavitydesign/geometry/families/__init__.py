"""The kinds of cavity, one file each; a class says its own layers and lattice, and is found by its ``family``."""
