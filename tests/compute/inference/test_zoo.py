from __future__ import annotations

import pytest

from relabel.compute.errors import ModelNotFound
from relabel.compute.inference import zoo
from relabel.compute.inference.zoo import (
    is_zoo_model_here,
    load_zoo_model,
    require_zoo_embedder,
    require_zoo_model,
    zoo_models,
)


def test_load_zoo_model__unknown():
    with pytest.raises(ModelNotFound, match="no model 'nonsense'"):
        load_zoo_model("nonsense")


def test_require_zoo_model__known():
    assert require_zoo_model(zoo_models()[0]) == zoo_models()[0]


@pytest.mark.parametrize(
    ("installed", "lacking"),
    [([], "PyTorch"), (["torch"], "torchvision"), (["torchvision"], "PyTorch")],
)
def test_require_zoo_embedder__what_it_lacks(monkeypatch, installed, lacking):
    monkeypatch.setattr(zoo, "find_spec", lambda name: name if name in installed else None)
    with pytest.raises(ModelNotFound, match=f"needs {lacking}, "):
        require_zoo_embedder("clip-vit-base32-torch")


def test_require_zoo_embedder__nothing(monkeypatch):
    monkeypatch.setattr(zoo, "find_spec", lambda name: name)
    assert require_zoo_embedder("clip-vit-base32-torch") == "clip-vit-base32-torch"


def test_is_zoo_model_here__its_file(tmp_path, monkeypatch):
    import fiftyone as fo
    import fiftyone.zoo as foz

    name = "clip-vit-base32-torch"
    monkeypatch.setattr(fo.config, "model_zoo_dir", str(tmp_path))
    assert not is_zoo_model_here(name)
    (tmp_path / foz.get_zoo_model(name).filename).touch()
    assert is_zoo_model_here(name)
