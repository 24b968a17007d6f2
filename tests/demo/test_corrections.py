"""The annotator's edits of one image: as few as there can be, and nothing it does not know."""

from __future__ import annotations

from demo.corrections import Edits, Vocabulary, pixel_points, plan_edits
from demo.truth import CLASSES, ImageTruth, Label

IMAGE = ImageTruth(
    "image.png",
    "train",
    320,
    240,
    tuple(
        Label(
            str(place),
            CLASSES[place],
            (0.05 + 0.33 * (place % 3), 0.33 * (place // 3), 0.11, 0.16),
        )
        for place in range(9)
    ),
)


def vocabulary(names=CLASSES, attributes=()) -> Vocabulary:
    return Vocabulary.of(
        {"id": number, "name": name, "attributes": list(attributes)}
        for number, name in enumerate(names)
    )


def planned(shapes: list[dict], image: ImageTruth, words: Vocabulary) -> Edits:
    edits = Edits()
    plan_edits(image, 0, shapes, words, edits)
    return edits


def shapes_of(image: ImageTruth, words: Vocabulary) -> list[dict]:
    return [
        {
            "id": number,
            "type": "rectangle",
            "frame": 0,
            "label_id": words.labels[one.label]["id"],
            "points": pixel_points(image, one.bounding_box),
            "attributes": [],
        }
        for number, one in enumerate(image.objects)
    ]


def test_plan_edits__within_the_tolerance_nothing_moves():
    image, words = IMAGE, vocabulary()
    shapes = shapes_of(image, words)
    shapes[3]["points"] = [value + 0.9 for value in shapes[3]["points"]]
    assert not planned(shapes, image, words).update
    shapes[3]["points"] = [value + 0.9 for value in shapes[3]["points"]]
    assert [shape["id"] for shape in planned(shapes, image, words).update] == [3]


def test_plan_edits__other_labels_and_shapes_stay():
    image, words = IMAGE, vocabulary((*CLASSES, "person"))
    person = {**shapes_of(image, words)[0], "id": 77, "label_id": 10}
    polygon = {**shapes_of(image, words)[0], "id": 78, "type": "polygon", "points": [0] * 6}
    edits = planned([*shapes_of(image, words), person, polygon], image, words)
    assert [edits.create, edits.update, edits.delete] == [[], [], []]


def test_plan_edits__a_class_the_job_lacks_is_told():
    image = IMAGE
    words = vocabulary(CLASSES[1:])
    edits = planned([], image, words)
    assert edits.counts == {"added": 8, "impossible": 1}


def test_plan_edits__of_two_the_exact_one_stays():
    image, words = IMAGE, vocabulary()
    shapes = shapes_of(image, words)
    shapes.insert(0, {**shapes[4], "id": 50, "points": [p + 3 for p in shapes[4]["points"]]})
    edits = planned(shapes, image, words)
    assert [shape["id"] for shape in edits.delete] == [50]
    assert not edits.update
