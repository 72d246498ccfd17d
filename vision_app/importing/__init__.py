"""Models that were trained elsewhere: a .keras or .h5 file becomes a run directory that is used like any other."""
