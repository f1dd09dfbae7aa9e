"""A run: training, evaluation, cross-validation."""
