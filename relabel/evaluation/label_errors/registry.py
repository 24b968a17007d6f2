"""Which kinds of errors are looked for, and by what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .attribute import find_wrong_attribute
from .bad_box import find_bad_box
from .crowd import find_wrong_crowd
from .duplicate import find_duplicate
from .missing import find_missing
from .scene import Scene
from .spurious import find_spurious
from .suspicion import ErrorType, Suspects
from .wrong_class import find_wrong_class

Finder = Callable[[Scene, np.random.Generator], Sequence[Suspects]]

FINDERS: Mapping[ErrorType, tuple[Finder, ...]] = {
    ErrorType.WRONG_CLASS: (find_wrong_class,),
    ErrorType.BAD_BOX: (find_bad_box,),
    ErrorType.MISSING: (find_missing,),
    ErrorType.DUPLICATE: (find_duplicate,),
    ErrorType.SPURIOUS: (find_spurious,),
    ErrorType.ATTRIBUTE: (find_wrong_crowd, find_wrong_attribute),
}
"""A finder gets labels and predictions and yields the suspects of its kind."""
