from __future__ import annotations

from dataclasses import replace

import fiftyone.brain as fob
import numpy as np
import pytest

from relabel.curation.embedding.origins import (
    DESCRIPTOR,
    FIELD,
    MODEL_FILE,
    ZOO,
    Origin,
    recorded_origins,
    require_same_origin,
)
from relabel.curation.errors import NotAddable

FILE = Origin(MODEL_FILE, "/here/mine.keras", (("pixels", "0 to 1"),), "a" * 64)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (replace(FILE, name="/on/an/executor/mine.keras"), True),
        (replace(FILE, contents=None), True),
        (replace(FILE, contents="b" * 64), False),
        (replace(FILE, options=(("pixels", "0 to 255"),)), False),
        (replace(FILE, options=(*FILE.options, ("output", "pool"))), False),
        (replace(FILE, kind=ZOO), False),
    ],
)
def test_may_be__a_model_in_a_file(other, same):
    assert FILE.may_be(other) is other.may_be(FILE) is same


def test_may_be__one_name_of_two_models():
    assert not Origin(ZOO, "clip").may_be(Origin(ZOO, "dinov2"))
    assert not Origin(ZOO, "clip").may_be(Origin(FIELD, "clip"))


def test_require_same_origin__an_index_of_stock_fiftyone(dataset):
    """It names a model of the zoo, or the field, or nothing at all."""
    fob.compute_similarity(dataset, embeddings=np.eye(6), brain_key="stock")
    assert not require_same_origin(dataset, "stock", Origin(DESCRIPTOR, DESCRIPTOR))
    index = dataset.load_brain_results("stock")
    index.config.model, index.config.model_kwargs = "open-clip-torch", {"clip_model": "ViT-B-32"}
    index.save_config()
    clip = Origin(ZOO, "open-clip-torch", (("clip_model", "ViT-B-32"),))
    assert recorded_origins(dataset, "stock") == (clip,)
    assert require_same_origin(dataset, "stock", clip)
    assert not require_same_origin(dataset, "stock", None)
    with pytest.raises(NotAddable, match=r"open-clip-torch \(clip_model ViT-B-32\).*built-in"):
        require_same_origin(dataset, "stock", Origin(DESCRIPTOR, DESCRIPTOR))


def test_require_same_origin__a_field_and_the_model_that_filled_it(dataset):
    dataset.set_values("vectors", list(np.eye(6)))
    fob.compute_similarity(dataset, embeddings="vectors", brain_key="stock")
    index = dataset.load_brain_results("stock")
    index.config.model = "clip"
    index.save_config()
    for origin in (Origin(FIELD, "vectors"), Origin(ZOO, "clip")):
        assert require_same_origin(dataset, "stock", origin)
    with pytest.raises(NotAddable):
        require_same_origin(dataset, "stock", Origin(FIELD, "others"))
