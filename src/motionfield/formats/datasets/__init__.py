"""The papers' data sets: one reader each, all to ``sequence.DatasetSequence``.

Layouts follow public loaders (named in each reader). None of these files comes with the package;
docs/papers_data.md says where each is to be had, under which licence, and how it is to lie.
"""
