"""The report: results of cross-validations beside the paper's tables."""
