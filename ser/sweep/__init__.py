"""Optuna studies over the options of a run, one worker per device."""
