from __future__ import annotations

from datetime import UTC, date, datetime

import fiftyone as fo
import pytest

from relabel.curation.errors import SelectionError
from relabel.curation.selecting.sample_values import (
    group_fields,
    label_fields,
    labelled,
    read_groups,
    read_splits,
    read_weights,
    weight_fields,
)


@pytest.fixture
def described(dataset):
    dataset.set_values("uncertainty", [0.5, None, 0.25, 1.0, float("nan"), 0.0])
    dataset.set_values("weather", ["dry", "wet", None, "dry", "dry", "dry"])
    dataset.set_values("scene", [fo.Classification(label="in"), None, None, None, None, None])
    return dataset


def test_fields__only_those_that_can_be_used(described):
    assert "uncertainty" in weight_fields(described)
    assert not {"ground_truth.detections.confidence", "weather"} & set(weight_fields(described))
    assert {"tags", "weather", "ground_truth.detections.label", "scene.label"} <= set(
        group_fields(described)
    )
    assert not {"id", "filepath", "uncertainty"} & set(group_fields(described))
    assert label_fields(described) == ["ground_truth", "scene"]


def test_read_weights__numbers_only(described):
    ids = described.values("id")
    expected = {ids[0]: 0.5, ids[2]: 0.25, ids[3]: 1.0, ids[5]: 0.0}
    assert read_weights(described, "uncertainty") == expected


def test_read_weights__negative(described):
    described.set_values("uncertainty", [-1.0] * 6)
    with pytest.raises(SelectionError, match="negative"):
        read_weights(described, "uncertainty")


def test_read_groups__one_value(described):
    ids = described.values("id")
    found = read_groups(described, "weather")
    assert ids[2] not in found
    assert found[ids[1]] == "wet"
    assert read_groups(described, "scene.label") == {ids[0]: "in"}


def test_read_groups__of_a_time_its_day_in_another_zone(described, monkeypatch):
    described.set_values("at", [datetime(2026, 1, 1, 12 * (k % 2), tzinfo=UTC) for k in range(6)])
    monkeypatch.setattr(fo.config, "timezone", "America/New_York")
    assert set(read_groups(described, "at").values()) == {date(2026, 1, 1)}


def test_read_groups__of_a_time_its_day(described):
    ids = described.values("id")
    described.set_values("day", [date(2026, 1, 1 + k // 3) for k in range(6)])
    described.set_values("at", [datetime(2026, 1, 1, 20 + k, tzinfo=UTC) for k in range(3)] * 2)
    assert {"day", "at"} <= set(group_fields(described))
    assert not {"created_at", "last_modified_at"} & set(group_fields(described))
    found = read_groups(described, "day")
    assert len(set(found.values())) == 2
    assert found[ids[0]] == found[ids[2]] != found[ids[3]]
    assert set(read_groups(described, "at").values()) == {date(2026, 1, 1)}


@pytest.mark.parametrize("read", [read_weights, read_groups])
def test_read__a_field_that_holds_nothing(described, read):
    described.add_sample_field("empty", fo.FloatField if read is read_weights else fo.StringField)
    with pytest.raises(SelectionError, match="'empty' holds no"):
        read(described, "empty")


def test_read_groups__of_several_the_rarest(described):
    ids = described.values("id")
    sample = described.first()
    sample.ground_truth.detections.append(
        fo.Detection(label="zebra", bounding_box=[0, 0, 0.1, 0.1])
    )
    sample.save()
    found = read_groups(described, "ground_truth.detections.label")
    assert found == {ids[0]: "zebra", **dict.fromkeys(ids[1:], "cat")}


def test_read_splits__tags_that_are_named_or_any_value(described):
    ids = described.values("id")
    tags = read_splits(described, "tags", ["odd"])
    assert tags == {key: {"odd"} for key in ids[1::2]}
    assert read_splits(described, "weather")[ids[1]] == {"wet"}
    assert set(read_splits(described, "weather", ["wet"])) == {ids[1]}
    described.set_values("fold", [1, 2, 3, 1, 2, 3])
    assert set(read_splits(described, "fold", ["1", "2"]).values()) == {
        frozenset({1}),
        frozenset({2}),
    }


@pytest.mark.parametrize("field", ["tags", "nonsense", "filepath"])
def test_read_splits__not_said(described, field):
    with pytest.raises(SelectionError):
        read_splits(described, field)


def test_labelled__a_list_with_nothing_in_it_is_no_label(described):
    ids = described.values("id")
    described.set_values(
        "ground_truth",
        [fo.Detections(), None, *described.values("ground_truth")[2:]],
    )
    assert labelled(described, "ground_truth") == ids[2:]
    assert labelled(described, "scene") == ids[:1]


@pytest.mark.parametrize("read", [read_weights, read_groups, labelled])
@pytest.mark.parametrize("field", ["nonsense", "filepath", "ground_truth.detections.tags", ""])
def test_read__not_such_a_field(described, read, field):
    with pytest.raises(SelectionError):
        read(described, field)
