"""Results: predictions tables, pooled scores, statistics."""
