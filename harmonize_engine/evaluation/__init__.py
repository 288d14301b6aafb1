"""Judging results, in numpy: metrics with the papers' conventions."""
