"""The page of `ser compare`: any runs side by side, without intervals or tests."""
