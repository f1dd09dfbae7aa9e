"""Corpora: files on disk become one table of utterances."""
