"""Faults: of files, machines, people. Each ends with one clear message and nothing half-written."""
