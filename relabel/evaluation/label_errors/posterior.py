"""How likely a label is wrong, from how the model reacts to labels that are known to be wrong.

Nobody knows which labels are wrong, but anybody can make some: errors are *planted* into copies of
the labels, and the model's predictions are compared with the copies as with the labels. If ``x``
is the evidence of an error, ``planted(x)`` how it is spread over planted errors and ``given(x)``
over the labels as they are, then the labels are a mixture,

    given(x) = (1 - share) * right(x) + share * planted(x),

and by Bayes' rule the probability that a label of evidence ``x`` is wrong is

    P(wrong | x) = share * planted(x) / given(x).

The ratio is estimated by isotonic regression, as more evidence never makes an error less likely.

Of the share, a bound is known: there are no more errors than there is room for. With ``n(t)``
labels and a part ``p(t)`` of the planted errors of evidence ``t`` or more,

    errors <= n(t) / p(t)    for every t,

the estimate of mixture proportions of Blanchard, Lee and Scott 2010 ("Semi-supervised novelty
detection"). What fills the room up are mistakes of the model. If ``n(t) / p(t)`` is the same for
many ``t``, the labels there are spread like errors, and hardly anything else is among them; if it
is known for one ``t`` alone, as where a model sees either something or nothing, it says little. So
the number of errors is the mean over all that are possible, where ``n(t) - errors * p(t)``, the
mistakes of the model, may be of any order of magnitude, and labels with one kind of error are one
in a hundred before anything is known (3.4 % of all kinds: Northcutt, Athalye and Mueller 2021,
"Pervasive Label Errors in Test Sets Destabilize Machine Learning Benchmarks").

Only the order of the evidence counts: any rising function of it gives the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.isotonic import IsotonicRegression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_TAILS = np.linspace(0.5, 1, 11)
"""The room is measured for the strongest half of the planted errors and more: true errors need not
be as strong as the strongest."""
_NUMBERS = 2001
_USUAL_SHARE = 0.01


@dataclass(frozen=True)
class Posterior:
    """What the evidence says.

    Args:
        probability: that a label is wrong, for each of the labels as they are
        strength: the share of planted errors of less evidence: orders labels of one probability
        share: how many of them are wrong, in [0, 1]
    """

    probability: Floats
    strength: Floats
    share: float

    def only(self, kept: NDArray[np.bool_]) -> Posterior:
        """What it says of some of the labels."""
        return Posterior(self.probability[kept], self.strength[kept], self.share)


def posterior(given: Floats, planted: Floats) -> Posterior:
    """Compares the evidence of labels as they are with that of planted errors.

    Args:
        given: the evidence of each label, of shape ``(n,)``; -inf for none
        planted: the evidence of planted errors, of shape ``(m,)``
    """
    if not given.size or not planted.size:
        return Posterior(np.zeros(given.size), np.zeros(given.size), 0.0)
    values = np.concatenate((given, planted))
    ranks = np.unique(values, return_inverse=True)[1]
    is_planted = np.repeat([0.0, 1.0], [given.size, planted.size])
    weight = np.repeat([1 / given.size, 1 / planted.size], [given.size, planted.size])
    curve = IsotonicRegression(y_min=0.0, y_max=1.0).fit(ranks, is_planted, sample_weight=weight)
    of_planted = np.minimum(curve.predict(ranks[: given.size]), 1 - 1e-9)
    share = _errors(given, planted) / given.size
    strength = np.searchsorted(np.sort(planted), given, side="left") / planted.size
    return Posterior(np.minimum(share * of_planted / (1 - of_planted), 1.0), strength, share)


def _errors(given: Floats, planted: Floats) -> float:
    """How many of the given labels are wrong: the mean over all numbers that are possible."""
    places = np.unique(np.quantile(planted, 1 - _TAILS, method="lower"))
    weight = 1 - np.searchsorted(np.sort(planted), places, side="left") / planted.size
    room = given.size - np.searchsorted(np.sort(given), places, side="left")
    chance = 1 + np.sqrt(room)
    most = min(float(((room + 5 * chance) / weight).min()), given.size)
    number = np.linspace(0, most, _NUMBERS)
    others = room - number[:, None] * weight
    fit = -np.log(np.maximum(others, 0) + chance) - (np.minimum(others, 0) / chance) ** 2 / 2
    log = fit.sum(axis=1) - number / (_USUAL_SHARE * planted.size)
    density = np.exp(log - log.max())
    return float(number @ density / density.sum())
