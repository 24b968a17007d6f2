"""Which labels are wrong: suspicions with a type and a probability, worst first.

:mod:`.scene` puts labels and predictions beside each other; each kind of error has a module that
says what speaks for it (:mod:`.wrong_class`, :mod:`.bad_box`, ...); :mod:`.posterior` makes a
probability of it; :mod:`.ranking` makes a queue. All of that is arrays. :mod:`.finding` reads a
dataset and writes what was found.
"""
