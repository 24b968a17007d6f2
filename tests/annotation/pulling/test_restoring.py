from __future__ import annotations

from bson import ObjectId

from relabel.annotation.pulling.restoring import restored

ID = ObjectId()
MARKS = ("eval", "eval_id")


def label(x, **marks):
    return {"_id": ID, "label": "cat", "bounding_box": [x, 0, 1, 1], **marks}


def without_the_pull(present, before, after):
    return restored(present, before, after, [str(ID)], MARKS)


def test_restored__what_a_run_wrote_since_is_no_edit():
    before, after = [label(0, eval="tp")], [label(1, eval="tp")]
    assert without_the_pull([label(1, eval="fn")], before, after) == ([label(0, eval="fn")], set())


def test_restored__what_a_run_took_back_since_stays_away():
    before, after = [label(0, eval="tp")], [label(1, eval="tp")]
    assert without_the_pull([label(1)], before, after) == ([label(0)], set())


def test_restored__nothing_happened_since():
    before, after = [label(0, eval="tp", eval_id="a")], [label(1, eval="tp", eval_id="a")]
    assert without_the_pull(after, before, after) == (before, set())


def test_restored__an_edit_stays():
    present = [label(2, eval="tp")]
    found = without_the_pull(present, [label(0)], [label(1)])
    assert found == (present, {str(ID)})


def test_restored__what_the_pull_added_goes_with_its_marks():
    assert without_the_pull([label(1, eval="fp")], None, [label(1)]) == (None, set())


def test_restored__what_the_pull_removed_comes_back():
    assert without_the_pull([], [label(0, eval="tp")], []) == ([label(0, eval="tp")], set())
