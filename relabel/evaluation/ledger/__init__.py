"""What fixing labels did to the score: one entry for every time that an evaluation ran again.

:mod:`.recording` runs an evaluation again and writes an entry; :mod:`.contrast` says what two
outcomes differ in, :mod:`.bootstrap` how sure that is, :mod:`.error_kinds` which errors the model
makes; :mod:`.entries` keeps the entries beside the evaluation's run, and :mod:`.table` writes them
as CSV.
"""
