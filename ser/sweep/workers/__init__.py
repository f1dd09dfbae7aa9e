"""The worker processes of a study, and the trials that they run."""
