"""Processes that run others: starting, signals, progress."""
