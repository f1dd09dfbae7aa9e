"""Child processes: starting, signals, progress."""
