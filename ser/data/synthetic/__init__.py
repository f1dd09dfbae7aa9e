"""The built-in corpus of synthetic speech."""
