"""The processes that run the trials of a study."""
