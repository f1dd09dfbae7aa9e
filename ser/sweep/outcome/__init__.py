"""Results of a study: its table of trials, its best trial, its figures and its report."""
