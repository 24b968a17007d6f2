from __future__ import annotations

import pytest

from relabel.annotation import (
    ANNOTATED,
    IN_ANNOTATION,
    REQUIRES_ANNOTATION,
    pull,
    undo_pull,
)
from relabel.annotation.dataset.tags import tag_discarded, tag_sent
from relabel.cvat import CvatRejected
from tests.annotation.desk import Desk


@pytest.fixture
def tagged(dataset):
    """The dataset, of which the first four samples require annotation."""
    dataset.limit(4).tag_samples(REQUIRES_ANNOTATION)
    return dataset


def standing(dataset):
    """The tag of each sample that says where it stands."""
    known = (REQUIRES_ANNOTATION, IN_ANNOTATION, ANNOTATED)
    return [next((t for t in tags if t in known), None) for tags in dataset.values("tags")]


def test_tags__follow_the_round(tagged, client, send):
    record = send(images_per_job=2)
    out, none = [IN_ANNOTATION] * 4, [None] * 2
    assert standing(tagged) == [*out, *none]
    assert tagged.values("tags")[0] == ["even", IN_ANNOTATION]
    desk = Desk(client, record)
    job = desk.jobs()[0]
    desk.move(job, desk.shapes(job, 0)[0])
    desk.finish(job)
    report = pull(tagged, "round_1", client)
    assert report.finished == tuple(tagged.values("id")[:2])
    assert report.sample_ids == report.finished[:1]
    assert standing(tagged) == [ANNOTATED, ANNOTATED, IN_ANNOTATION, IN_ANNOTATION, *none]
    undo_pull(tagged, "round_1")
    assert standing(tagged)[0] == IN_ANNOTATION
    pull(tagged, "round_1", client)
    assert standing(tagged)[:2] == [ANNOTATED, ANNOTATED]


def test_undo__leaves_a_tag_of_the_users_own_that_has_the_same_name(dataset, client, send):
    record = send()
    dataset.tag_samples(ANNOTATED)
    dataset.tag_samples("last")
    before = dataset.values("tags")
    desk = Desk(client, record)
    job = desk.jobs()[0]
    desk.move(job, desk.shapes(job, 0)[0])
    desk.finish(job)
    pull(dataset, "round_1", client)
    assert undo_pull(dataset, "round_1").sample_ids
    assert dataset.values("tags") == before


def test_undo__puts_the_tag_where_it_was(tagged, client, send):
    record = send()
    tagged.tag_samples("last")
    before = tagged.values("tags")
    assert before[0] == ["even", IN_ANNOTATION, "last"]
    desk = Desk(client, record)
    job = desk.jobs()[0]
    desk.move(job, desk.shapes(job, 0)[0])
    desk.finish(job)
    pull(tagged, "round_1", client)
    assert tagged.values("tags")[0] == ["even", ANNOTATED, "last"]
    undo_pull(tagged, "round_1")
    assert tagged.values("tags")[0] == before[0]


def test_tags__what_is_tagged_is_not_sent_twice(tagged, client, send):
    send(samples=tagged.match_tags(REQUIRES_ANNOTATION))
    assert tagged.match_tags(REQUIRES_ANNOTATION).count() == 0


def test_tags__once_more(tagged, client, send):
    record = send()
    Desk(client, record).finish(*Desk(client, record).jobs())
    pull(tagged, "round_1", client)
    tagged.limit(1).tag_samples(REQUIRES_ANNOTATION)
    send("round_2", samples=tagged.limit(1), include_out=True)
    assert tagged.first().tags == ["even", IN_ANNOTATION]


def test_tags__a_round_that_is_given_up(tagged, client, send):
    with pytest.raises(CvatRejected):
        send(image_quality=1000)
    assert standing(tagged)[:4] == [REQUIRES_ANNOTATION] * 4


def test_tags__other_samples_are_not_touched(tagged, client, send):
    before = tagged.values("last_modified_at")[4:]
    send()
    assert tagged.values("last_modified_at")[4:] == before


def test_tag_sent__again_changes_nothing(tagged):
    for _ in range(2):
        tag_sent(tagged, tagged.values("id"))
    assert tagged.values("tags")[0] == ["even", IN_ANNOTATION]
    tag_sent(tagged, [])


def test_tag_discarded__takes_it_back(tagged):
    tag_sent(tagged, tagged.values("id"))
    tag_discarded(tagged, tagged.values("id"))
    assert standing(tagged) == [REQUIRES_ANNOTATION] * 4 + [None] * 2
