"""The built-in corpus, which is synthesised."""
