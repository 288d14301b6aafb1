"""The installer of Harmonize: the engine in an environment of its own, its plug-ins in the editors found, and away again.

It runs from one file, harmonize-install.pyz, with nothing but Python's standard library.
"""
