from __future__ import annotations

import pytest

from relabel import views
from relabel.curation.errors import SelectionError
from relabel.curation.selecting.coverage import Coverage
from relabel.curation.selecting.selection import Selection
from relabel.curation.selecting.selection_runs import (
    Marks,
    discard_selection,
    is_selection,
    require_marks,
    save_selection,
    selections,
    suggest_name,
)


@pytest.fixture
def selection(dataset):
    ids = dataset.values("id")
    return Selection((ids[4], ids[1]), (1.0, 0.5), Coverage(0.3, (None, 1.0, 0.5), (0, 0.5, 1.0)))


ALL = Marks("unique", tag="odd", number_field="unique_order")


def test_save_selection__tag_view_order_and_run(dataset, selection):
    save_selection(dataset, selection, ALL, {"count": 2})
    ids = dataset.values("id")
    assert dataset.load_saved_view("unique").values("id") == [ids[4], ids[1]]
    assert dataset.values("unique_order") == [None, 2, None, None, 1, None]
    assert ids[4] in dataset.match_tags("odd").values("id")
    results = dataset.load_run_results("unique", cache=False)
    assert results.sample_ids == [ids[4], ids[1]]
    assert results.radii == [None, 1.0, 0.5]
    assert dataset.get_run_info("unique").config.count == 2
    assert selections(dataset) == ["unique"]


def test_discard_selection__leaves_all_as_it_was(dataset, selection):
    before = dataset.count_sample_tags(), set(dataset.get_field_schema())
    tags = dataset.values("tags")
    save_selection(dataset, selection, ALL, {})
    assert discard_selection(dataset, "unique") == 1  # the other had the tag before
    dataset.reload()
    assert (dataset.count_sample_tags(), set(dataset.get_field_schema())) == before
    assert dataset.values("tags") == tags
    assert (dataset.list_saved_views(), dataset.list_runs()) == ([], [])


def test_discard_selection__that_another_process_has_replaced(dataset, selection):
    tags = dataset.values("tags")
    save_selection(dataset, selection, ALL, {})
    cached = dict(dataset._run_cache)
    ids = dataset.values("id")
    other = Selection((ids[2], ids[0]), (1.0, 0.7), selection.coverage)
    save_selection(dataset, other, ALL, {}, replace=True)
    dataset._run_cache.update(cached)
    assert discard_selection(dataset, "unique") == 2
    dataset.reload()
    assert dataset.values("tags") == tags


def test_save_selection__again_only_if_asked(dataset, selection):
    save_selection(dataset, selection, ALL, {})
    with pytest.raises(SelectionError, match="There is a selection 'unique'"):
        save_selection(dataset, selection, ALL, {})
    other = Selection(selection.sample_ids[1:], (1.0,), selection.coverage)
    save_selection(dataset, other, ALL, {}, replace=True)
    ids = dataset.values("id")
    assert dataset.load_saved_view("unique").values("id") == [ids[1]]
    assert dataset.values("unique_order") == [None, 1, None, None, None, None]
    assert ids[4] not in dataset.match_tags("odd").values("id")


def test_save_selection__replaces_one_that_died_half_saved(dataset, selection):
    config = dataset.init_run(method="relabel_selection", tag="odd", number_field="unique_order")
    dataset.register_run("unique", config)
    save_selection(dataset, selection, ALL, {}, replace=True)
    assert dataset.load_run_results("unique").sample_ids == list(selection.sample_ids)
    assert discard_selection(dataset, "unique") == 1


def test_save_selection__of_others_nothing_is_overwritten(dataset, selection):
    dataset.save_view("mine", dataset.limit(1))
    dataset.register_run("theirs", dataset.init_run(method="other"))
    for marks in (
        Marks("mine"),
        Marks("theirs"),
        Marks("unique", number_field="filepath"),
        Marks("unique", number_field="a b"),
        Marks("unique", number_field="_private"),
        Marks("1st"),
        Marks(""),
    ):
        with pytest.raises(SelectionError):
            save_selection(dataset, selection, marks, {}, replace=True)
    assert dataset.list_saved_views() == ["mine"]
    assert dataset.list_runs() == ["theirs"]
    assert set(dataset.count_sample_tags()) == {"even", "odd"}


@pytest.fixture(params=[ConnectionError("The database is gone"), KeyboardInterrupt()])
def no_view_is_saved(dataset, request, monkeypatch):
    """The next view cannot be saved, for this reason."""

    def fail(*_, **__):
        monkeypatch.undo()
        raise request.param

    def begin():
        monkeypatch.setattr(type(dataset), "save_view", fail)
        return pytest.raises(type(request.param))

    return begin


def test_save_selection__failure_leaves_nothing(dataset, selection, no_view_is_saved):
    before = dataset.values("tags"), set(dataset.get_field_schema())
    with no_view_is_saved():
        save_selection(dataset, selection, ALL, {})
    dataset.reload()
    assert (dataset.values("tags"), set(dataset.get_field_schema())) == before
    assert (dataset.list_saved_views(), dataset.list_runs()) == ([], [])


def _everything(dataset, name):
    dataset.reload()
    return (
        dataset.values(["tags", "unique_order"]),
        type(dataset.get_field("unique_order")),
        dataset.load_saved_view(name).values("id"),
        dataset.get_run_info(name).config.serialize(),
        dataset.load_run_results(name, cache=False).serialize(),
    )


def test_save_selection__failure_keeps_the_one_to_be_replaced(
    dataset, selection, no_view_is_saved
):
    save_selection(dataset, selection, ALL, {"count": 2, "by": {"distance": 0.1}})
    before = _everything(dataset, "unique")
    ids = dataset.values("id")
    other = Selection((ids[2], ids[0]), (1.0, 0.7), selection.coverage)
    with no_view_is_saved():
        save_selection(dataset, other, ALL, {"count": 2}, replace=True)
    assert _everything(dataset, "unique") == before
    assert discard_selection(dataset, "unique") == 1


@pytest.mark.parametrize("field", [None, "mine"])
def test_save_selection__of_more_than_a_view_can_name(dataset, selection, monkeypatch, field):
    """Then it finds them by their numbers, in the same order."""
    before = set(dataset.get_field_schema())
    monkeypatch.setattr(views, "IDS_OF_A_VIEW", 1)
    marks = Marks("unique", tag="odd", number_field=field)
    view = save_selection(dataset, selection, marks, {})
    assert view.values("id") == list(selection.sample_ids)
    assert dataset.load_saved_view("unique").values("id") == list(selection.sample_ids)
    assert len(str(dataset.load_saved_view("unique")._serialize())) < 500
    assert discard_selection(dataset, "unique") == 1
    dataset.reload()
    assert set(dataset.get_field_schema()) == before


def test_suggest_name__free(dataset, selection):
    assert suggest_name(dataset, "unique") == "unique"
    save_selection(dataset, selection, Marks("unique"), {})
    dataset.save_view("unique_2", dataset.limit(1))
    assert suggest_name(dataset, "unique") == "unique_3"
    assert require_marks(dataset, Marks("unique_3")).name == "unique_3"


@pytest.mark.parametrize("name", ["my_best", "MY__BEST"])
def test_require_marks__a_saved_view_of_the_same_address(dataset, name):
    dataset.save_view("My best", dataset.limit(1))
    assert suggest_name(dataset, name) == f"{name}_2"
    with pytest.raises(SelectionError, match="There is a saved view 'My best', which"):
        require_marks(dataset, Marks(name))


def test_require_marks__a_selection_of_the_same_address(dataset, selection):
    save_selection(dataset, selection, ALL, {})
    with pytest.raises(SelectionError, match="There is a saved view 'unique', which"):
        require_marks(dataset, Marks("Unique"), replace=True)


@pytest.mark.parametrize("name", ["", "_", "1", "a b"])
def test_require_marks__no_name(dataset, name):
    with pytest.raises(SelectionError, match="cannot name a selection"):
        require_marks(dataset, Marks(name))


def test_discard_selection__none_of_that_name(dataset):
    assert not is_selection(dataset, "unique")
    with pytest.raises(SelectionError, match="no selection"):
        discard_selection(dataset, "unique")
