"""The options of a run: YAML files, command line, parser."""
