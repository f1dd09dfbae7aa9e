"""The report: results of cross-validations compared with the paper's tables."""
