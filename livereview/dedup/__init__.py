"""Which records are one publication: normalise, find candidates, compare, judge, join."""
