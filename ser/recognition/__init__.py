"""Trained systems answer for recordings of the user's own: `ser.load(path)` and `ser predict`."""
