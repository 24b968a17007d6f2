from __future__ import annotations

import pytest

from relabel.annotation import Request, RoundField, make_plan
from relabel.annotation.planning.elsewhere import Elsewhere
from relabel.labels import LabelSchema

pytestmark = pytest.mark.cvat

SCHEMA = LabelSchema(("cat", "dog"))


def plan_of(dataset, *fields, **options):
    return make_plan(
        dataset, Request("r", tuple(RoundField(f, SCHEMA) for f in fields), **options)
    )


def test_find_elsewhere__of_several_fields_each_counts(dataset, send):
    ids = dataset.values("id")
    send("boxes", dataset.limit(2))
    send("other", dataset.skip(1).limit(2), field="more", classes=["cat", "dog"])
    assert plan_of(dataset, "ground_truth").elsewhere == {"boxes": Elsewhere(tuple(ids[:2]), 4)}
    assert plan_of(dataset, "more").elsewhere == {"other": Elsewhere(tuple(ids[1:3]), 0)}
    both = plan_of(dataset, "ground_truth", "more")
    assert both.elsewhere == {
        "boxes": Elsewhere(tuple(ids[:2]), 4),
        "other": Elsewhere(tuple(ids[1:3]), 0),
    }
    assert both.sample_ids == tuple(ids[3:])


def test_find_elsewhere__labels_of_another_field_of_that_round_do_not_count(dataset, send):
    dataset.clone_sample_field("ground_truth", "copy")
    fields = (RoundField("ground_truth", SCHEMA), RoundField("copy", SCHEMA))
    send("two_fields", dataset.limit(3), fields=fields)
    (found,) = plan_of(dataset, "copy").elsewhere.values()
    assert (len(found.sample_ids), found.labels) == (3, 6)


def test_plan__what_is_out_is_sent_if_it_is_asked_for(dataset, send):
    send("first", dataset.limit(1))
    plan = plan_of(dataset, "ground_truth", include_out=True)
    assert plan.images == 6
    assert 'is out in round "first" with 2 labels, and sent all the same.' in str(plan)
