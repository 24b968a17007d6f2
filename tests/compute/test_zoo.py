from __future__ import annotations

import pytest

from relabel.compute.errors import ModelNotFound
from relabel.compute.zoo import load_zoo_model, require_zoo_model, zoo_models


def test_load_zoo_model__unknown():
    with pytest.raises(ModelNotFound, match="no model 'nonsense'"):
        load_zoo_model("nonsense")


def test_require_zoo_model__known():
    assert require_zoo_model(zoo_models()[0]) == zoo_models()[0]
