from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.evaluation.label_errors.calibration import calibrated
from relabel.evaluation.label_errors.posterior import posterior

evidence = st.lists(st.integers(-5, 5).map(float), max_size=40).map(np.array)


@settings(deadline=None)
@given(evidence, evidence)
def test_posterior__is_a_probability_that_rises_with_the_evidence(seen, planted):
    found = posterior(seen, planted)
    assert ((found.probability >= 0) & (found.probability <= 1)).all()
    assert (np.diff(found.probability[np.argsort(seen)]) >= -1e-9).all()
    assert 0 <= found.share <= 1


@settings(deadline=None)
@given(evidence, evidence)
def test_posterior__only_the_order_of_the_evidence_counts(seen, planted):
    found, other = posterior(seen, planted), posterior(np.exp(seen), np.exp(planted))
    np.testing.assert_array_equal(found.probability, other.probability)
    assert found.share == other.share


def test_posterior__share_of_a_known_mixture():
    generator = np.random.default_rng(0)
    seen = np.concatenate((generator.normal(0, 1, 4500), generator.normal(5, 1, 500)))
    found = posterior(seen, generator.normal(5, 1, 5000))
    assert found.share == pytest.approx(0.1, rel=0.15)
    assert found.probability.sum() == pytest.approx(500, rel=0.2)
    assert found.probability[4500:].mean() > 0.9


def test_posterior__no_errors_of_a_kind_that_would_show():
    generator = np.random.default_rng(0)
    found = posterior(generator.normal(0, 1, 1000), generator.normal(9, 1, 1000))
    assert found.probability.max() == 0


right = st.lists(st.tuples(st.floats(0, 1), st.sampled_from("ab"), st.booleans()), max_size=40)


@settings(deadline=None)
@given(right)
def test_calibrated__rises_with_the_confidence_of_a_class(rows):
    confidence = np.array([row[0] for row in rows])
    label = np.array([row[1] for row in rows], dtype=object)
    share = calibrated(confidence, label, np.array([row[2] for row in rows], dtype=bool))
    assert ((share > 0) & (share < 1)).all()
    for name in "ab":
        own = label == name
        assert (np.diff(share[own][np.argsort(confidence[own])]) >= -1e-9).all()


def test_calibrated__a_class_that_the_model_does_not_know():
    confidence = np.tile(np.linspace(0.1, 0.9, 500), 2)
    label = np.repeat(np.array(["known", "unknown"], dtype=object), 500)
    share = calibrated(confidence, label, (label == "known") & (confidence > 0.5))
    assert share[:500].max() > 0.9
    assert share[500:].max() < 0.1
