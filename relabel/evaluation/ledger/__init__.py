"""What fixing labels did to the score: one entry for every time that an evaluation ran again.

:mod:`.recording` runs an evaluation again and writes an entry; :mod:`.entries` keeps them beside
the evaluation's run; :mod:`.bootstrap` says how sure a difference is; :mod:`.error_kinds` counts
the errors of the model by type.
"""
