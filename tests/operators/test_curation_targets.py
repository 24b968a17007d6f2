"""What the operators of curation are aimed at: patches, frames, slices, what has a vector."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError
from PIL import Image

from relabel.curation.similarity import read_index

from .app import context, execute, form, module_of_plugin, problems, texts

OF_VIEW = {"view_target": "CURRENT_VIEW"}
OF_SAMPLES = ["select_unique", "compute_uniqueness", "find_duplicates"]
OF_FRAMES = ["compute_similarity", "compute_visualization"]


def image(folder, number):
    path = folder / f"{number}.png"
    noise = np.random.default_rng(number).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return str(path)


@pytest.fixture
def videos(tmp_path):
    videos, sample = fo.Dataset(), fo.Sample(filepath=str(tmp_path / "video.mp4"))
    for number in range(1, 6):
        sample.frames[number] = fo.Frame(filepath=image(tmp_path, number))
    videos.add_sample(sample)
    yield videos
    videos.delete()


@pytest.mark.parametrize(
    ("name", "said"),
    [("select_unique", "How many of 6"), ("compute_uniqueness", "Scores 6 samples")],
)
def test_form__of_patches_counts_their_images(dataset, name, said):
    patches = dataset.to_patches("ground_truth")
    assert said in texts(form(name, dataset, OF_VIEW, view=patches._serialize()))


def test_select_unique__more_than_the_images_of_patches(dataset):
    patches = dataset.to_patches("ground_truth")
    params = {**OF_VIEW, "count": 7}
    found = problems(form("select_unique", dataset, params, view=patches._serialize()))
    assert any("7 samples cannot be selected out of 6" in text for text in found)
    done = execute("select_unique", dataset, {**params, "count": 6}, view=patches)
    assert set(done.result["sample_ids"]) == set(dataset.values("id"))


def test_select_unique__of_patches_on_more_images_than_a_view_can_name_twice(dataset, monkeypatch):
    monkeypatch.setattr(module_of_plugin("relabel.views"), "IDS_OF_A_VIEW", 1)
    ctx = context("select_unique", dataset, OF_VIEW)
    patches = dataset.to_patches("ground_truth")
    view = module_of_plugin("operators.forms").whole_images(ctx, patches)
    assert view.values("id") == dataset.values("id")
    assert not view._stages[-1].ordered


def test_select_unique__of_patches_on_more_images_than_a_query_can_name(dataset, monkeypatch):
    monkeypatch.setattr(module_of_plugin("operators.forms"), "IDS_OF_A_QUERY", 5)
    patches = dataset.to_patches("ground_truth")
    with pytest.raises(ExecutionError, match="on 6 images; a view can name 5"):
        execute("select_unique", dataset, {**OF_VIEW, "count": 2}, view=patches)
    dataset.reload()
    assert dataset.list_runs() == dataset.list_saved_views() == []


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_form__frames_have_no_tags_of_their_own(videos, name):
    frames = videos.to_frames()
    found = problems(form(name, videos, {**OF_VIEW, "count": 2}, view=frames._serialize()))
    assert any("Make them a dataset" in text for text in found)
    assert any("Make them a dataset" in text for text in problems(form(name, videos)))
    with pytest.raises(ExecutionError, match="Make them a dataset"):
        execute(name, videos, {**OF_VIEW, "count": 2}, view=frames)
    videos.reload()
    assert videos.list_runs() == videos.list_brain_runs() == videos.list_saved_views() == []


@pytest.mark.parametrize("name", [*OF_SAMPLES, *OF_FRAMES])
def test_form__of_a_dataset_without_samples(name):
    empty = fo.Dataset()
    try:
        assert any("holds no samples" in text for text in problems(form(name, empty)))
    finally:
        empty.delete()


def test_select_unique__of_frames_that_are_a_dataset(videos):
    frames = videos.to_frames().clone()
    try:
        assert execute("select_unique", frames, {"count": 2}).result["selected"] == 2
        assert frames.count_sample_tags()["unique"] == 2
    finally:
        frames.delete()


@pytest.mark.parametrize("name", OF_FRAMES)
def test_execute__a_view_of_frames_as_the_video(videos, name):
    params = {"method": "pca", "brain_key": "found"}
    view = videos.to_frames()
    fields = form(name, videos, {**OF_VIEW, **params}, view=view[:4]._serialize())
    assert problems(fields) == []
    assert "4 frames" in texts(fields)
    assert "frames of 1 videos" in texts(form(name, videos, params))
    done = execute(name, videos, {**OF_VIEW, **params}, view=view[:4])
    assert done.result["added"] == 4
    videos.reload()
    done = execute(name, videos, {**params, "new_only": True})
    assert done.result["added"] == 1
    videos.reload()
    assert videos.list_brain_runs() == ["found"]


@pytest.mark.parametrize("name", OF_FRAMES)
@pytest.mark.parametrize(
    ("target", "problem"),
    [("CURRENT_VIEW", "holds no videos"), ("SELECTED_SAMPLES", "No samples are selected")],
)
def test_execute__no_videos(videos, name, target, problem):
    params, view = {"view_target": target}, videos.match_tags("none")
    assert any(
        problem in text for text in problems(form(name, videos, params, view=view._serialize()))
    )
    with pytest.raises(ExecutionError, match=problem):
        execute(name, videos, params, view=view)
    assert videos.list_brain_runs() == []


@pytest.mark.parametrize("name", OF_FRAMES)
def test_form__new_only_was_asked_of_another(dataset, name):
    """The App keeps an answer when the question is not asked any more: of a name that is new."""
    execute(name, dataset, {"method": "pca", "brain_key": "there"})
    dataset.reload()
    of_another = {"backend", "metric", "method"}
    adds = {"new_only": True, "brain_key": "there", "method": "pca"}
    assert not of_another & set(form(name, dataset, adds))
    assert of_another & set(form(name, dataset, {**adds, "brain_key": "not_there"}))


@pytest.mark.parametrize("name", OF_FRAMES)
def test_execute__patches_of_frames_are_the_frames_that_they_are_on(videos, name):
    sample, box = videos.first(), fo.Detection(label="cat", bounding_box=[0, 0, 1, 1])
    for number in range(1, 5):
        boxes = fo.Detections(detections=[box.copy(), box.copy()])
        sample.frames[number]["boxes"] = boxes
    sample.save()
    params = {**OF_VIEW, "method": "pca", "brain_key": "found"}
    view = videos.to_frames().to_patches("boxes")
    assert "4 frames" in texts(form(name, videos, params, view=view._serialize()))
    assert execute(name, videos, params, view=view).result["added"] == 4


@pytest.mark.parametrize("slice_name", ["left", "right"])
def test_select_unique__of_the_slice_that_is_shown(tmp_path, slice_name):
    groups = fo.Dataset()
    groups.add_group_field("group", default="left")
    for number in range(4):
        group = fo.Group()
        for place, name in enumerate(("left", "right")):
            path = image(tmp_path, 2 * number + place)
            groups.add_sample(fo.Sample(filepath=path, group=group.element(name)))
    try:
        done = execute("select_unique", groups, {"count": 3}, group_slice=slice_name)
        groups.reload()
        groups.group_slice = slice_name
        found = groups.load_saved_view("unique").values("id")
        assert found == done.result["sample_ids"]
        assert set(found) <= set(groups.values("id"))
        assert groups.match_tags("unique").count() == 3
        execute("compute_uniqueness", groups, group_slice=slice_name)
        groups.reload()
        groups.group_slice = slice_name
        assert groups.exists("uniqueness").count() == 4
    finally:
        groups.delete()


@pytest.mark.parametrize("name", OF_FRAMES)
def test_execute__patches_are_not_what_whole_images_are(dataset, name):
    """Vectors that are there are of whole images; a model makes those of patches."""
    execute("compute_similarity", dataset)
    dataset.set_values("vectors", list(np.eye(6)))
    params = {"patches_field": "ground_truth", "brain_key": "patches", "method": "pca"}
    assert problems(form(name, dataset, params)) == []
    assert execute(name, dataset, params).result["added"] == 12
    dataset.reload()
    assert dataset.get_brain_info("patches").config.patches_field == "ground_truth"


@pytest.mark.parametrize("name", OF_FRAMES)
def test_form__patches_were_chosen_before_the_vectors(dataset, name):
    """The App keeps the answer of a question that it does not ask any more: so it is asked."""
    dataset.set_values("vectors", list(np.eye(6)))
    params = {"patches_field": "ground_truth", "embeddings": "field", "brain_key": "patches"}
    fields = form(name, dataset, params)
    assert any("not of patches" in text for text in problems(fields))
    params["patches_field"] = fields["patches_field"]["view"]["choices"][0]["value"]
    fields = form(name, dataset, params)
    assert (problems(fields), "patches_field" in fields) == ([], False)


def test_select_unique__by_what_has_a_vector(dataset):
    vectors = [None, np.zeros(3), [np.nan] * 3, [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]
    dataset.set_values("vectors", vectors)
    params = {"embeddings": "field", "vector_field": "vectors"}
    with pytest.raises(ExecutionError, match=r"4 samples .* out of 3\. 3 more have no vector"):
        execute("select_unique", dataset, {**params, "count": 4})
    assert dataset.list_runs() == []
    dataset.select(dataset.values("id")[:4]).tag_samples("done")
    done = execute("select_unique", dataset, {**params, "count": 2, "labelled_tag": "done"})
    assert done.result["counted_as_chosen"] == 1
    assert done.result["chosen_without_vector"] == 3
    assert done.result["without_vector"] == 3


def test_embeddings__an_index_of_another_dataset(dataset):
    """Its name is no answer here, and what only a part has been indexed of is said."""
    other = dataset.clone()
    try:
        execute("compute_similarity", other, OF_VIEW | {"brain_key": "theirs"}, view=other[:4])
        params = {"embeddings": "index", "index": "theirs", "count": 2}
        assert any(
            "cannot be chosen here" in p for p in problems(form("select_unique", dataset, params))
        )
        with pytest.raises(ExecutionError, match="cannot be chosen here"):
            execute("select_unique", dataset, params)
        other.reload()
        assert len(read_index(other, "theirs")) == 4
        assert execute("select_unique", other, params).result["without_vector"] == 2
    finally:
        other.delete()
