"""Deduplicating more records than one process should hold: the same rules, over parts in a folder.

`layout` says which file holds what, `steps` has the pure work on one part, `engines` says who does
the parts (this process, or Dask's workers on any number of machines), and `run` puts them together.
"""
