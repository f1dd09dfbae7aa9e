"""A study's definition, checks and storage."""
