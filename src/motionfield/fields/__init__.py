"""Functions of phase, time and space that hold a motion."""
