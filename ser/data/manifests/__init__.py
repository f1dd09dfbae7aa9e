"""Public corpora whose file names say speaker and emotion, for `ser corpus manifest`.

Each file of this folder is a corpus of the same name, described by a subclass of `PublicCorpus`; files that begin with
"_" are none.
"""
