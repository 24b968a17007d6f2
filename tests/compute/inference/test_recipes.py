from __future__ import annotations

import os

import pytest

from relabel.compute.inference.recipes import loaded, recipe, require_recipe
from relabel.curation.embedding.descriptors import ImageDescriptor
from relabel.curation.embedding.keras_models import load_model_file


def test_loaded__the_last_model_is_kept():
    assert loaded(recipe(ImageDescriptor)) is loaded(recipe(ImageDescriptor))


def test_loaded__a_model_is_what_it_is():
    model = ImageDescriptor()
    assert loaded(model) is model


def test_recipe__of_a_file_that_was_written_anew_is_another(tmp_path):
    file = tmp_path / "model.keras"
    file.write_bytes(b"")

    def of(file):
        return recipe(load_model_file, str(file), reads=str(file), pixels="0 to 1")

    before = of(file)
    assert of(file) == before
    os.utime(file, (1, 1))
    assert of(file) != before


def test_require_recipe__a_loaded_model_cannot_travel():
    with pytest.raises(TypeError, match="give a recipe"):
        require_recipe(ImageDescriptor())
