"""What a script is told that gives an operator of curation something that it cannot use."""

from __future__ import annotations

import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError

from .app import execute, form, problems

FIELD = {"embeddings": "field", "vector_field": "nope"}
LISTED = r"'nope' cannot be chosen here; what can be: "
CASES = [
    ("compute_uniqueness", {"field": "nope.a"}, r"'nope.a' cannot name a brain run"),
    ("compute_uniqueness", {"field": 3}, r"'3' cannot name a brain run|Invalid value type"),
    ("compute_uniqueness", {"field": "filepath"}, r"'filepath' holds no numbers"),
    ("compute_uniqueness", FIELD, LISTED + "vectors"),
    ("compute_uniqueness", {"embeddings": "nope"}, LISTED + r".*descriptor, application"),
    ("compute_uniqueness", {"embeddings": "index", "index": "nope"}, LISTED + "nothing"),
    (
        "compute_uniqueness",
        {"embeddings": "application", "application": "nope"},
        LISTED + "MobileNetV3Small, ",
    ),
    ("compute_similarity", {"brain_key": 3}, r"'3' cannot name a brain run|Invalid value type"),
    ("compute_similarity", {"brain_key": "no way"}, r"'no way' cannot name a brain run"),
    ("compute_similarity", {"embeddings": "descriptor", "patches_field": "nope"}, LISTED),
    ("compute_similarity", {"backend": "nope"}, LISTED + "sklearn"),
    ("compute_similarity", {"metric": "nope"}, LISTED + "cosine"),
    ("compute_visualization", {"method": "nope"}, LISTED + "umap"),
    ("compute_visualization", {"neighbours": "x"}, r"neighbours.*Invalid value type"),
    ("select_unique", {"count": 2, "labelled_field": "nope"}, LISTED),
    ("select_unique", {"count": 2, "weight_field": "nope"}, r"'nope' holds no number for each"),
    ("select_unique", {"count": 2, "balance_field": "nope"}, r"'nope' divides no samples"),
    ("select_unique", {"count": 2, "limit_field": "nope"}, r"'nope' divides no samples"),
    ("select_unique", {"count": 2, "apart": "x"}, r"'apart' is 'x', which is no number"),
    ("select_unique", {"count": "x"}, r"count. Reason: Invalid value type"),
    ("select_unique", {"count": float("inf")}, r"'count' is inf, which is no number"),
    ("select_for_active_learning", {"count": 2, "predictions": "nope"}, LISTED + "ground_truth"),
    ("select_for_active_learning", {"count": 2, "measure": "nope"}, LISTED + "entropy"),
    ("find_duplicates", {"by": "nope"}, LISTED + "files, vectors"),
    ("find_duplicates", {"split_field": "nope"}, LISTED),
    ("find_duplicates", {"by": "vectors", "distance": "x"}, r"distance. Reason: Invalid value"),
    ("discard_selection", {"name": "nope"}, r"There is no selection 'nope'"),
]


@pytest.fixture
def vectors(dataset):
    dataset.set_values("vectors", list(np.arange(1.0, 13.0).reshape(6, 2)))
    return dataset


@pytest.mark.parametrize(("name", "params", "said"), CASES)
def test_execute__says_what_is_wrong(vectors, name, params, said):
    before = vectors.to_dict(include_private=True)
    with pytest.raises(ExecutionError, match=said):
        execute(name, vectors, params)
    vectors.reload()
    assert vectors.to_dict(include_private=True) == before


@pytest.mark.parametrize(
    ("name", "params"), [case[:2] for case in CASES if case[2].startswith(LISTED)]
)
def test_form__blocks_its_button(vectors, name, params):
    """In the App nobody gets as far as an answer of the server."""
    assert "'nope' cannot be chosen" in "\n".join(problems(form(name, vectors, params)))
