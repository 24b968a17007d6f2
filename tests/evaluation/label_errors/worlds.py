"""Worlds whose wrong labels are known: objects, a detector of some skill, labels with errors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from relabel.evaluation.label_errors.suspicion import ErrorType
from relabel.evaluation.matching.tables import Detections, as_objects

CLASSES = np.array(["bus", "car", "cat", "dog", "van"], dtype=object)
_CELLS = [(column, row) for column in range(4) for row in range(3)]


@dataclass(frozen=True)
class World:
    """Labels with errors, and what a detector says.

    Args:
        truth: the labels
        predictions: what the detector finds
        wrong: the ids of the wrong labels, and of the predictions of missing ones -> what is wrong
    """

    truth: Detections
    predictions: Detections
    wrong: dict[str, ErrorType]


def table(rows, confidence=None) -> Detections:
    """A table of rows of (image, id, class, box, crowd), in the order of the images."""
    order = np.argsort([row[0] for row in rows], kind="stable").tolist()
    rows = [rows[number] for number in order]
    sure = np.full(len(rows), np.nan) if confidence is None else np.asarray(confidence)[order]
    return Detections(
        ids=as_objects([row[1] for row in rows]),
        image=np.array([row[0] for row in rows], dtype=np.int64),
        label=as_objects([row[2] for row in rows]),
        box=np.array([row[3] for row in rows], dtype=float).reshape(-1, 4),
        confidence=sure,
        crowd=np.array([row[4] for row in rows], dtype=bool),
    )


def make_world(seed: int, images: int = 150, share: float = 0.06) -> World:
    """Images of about five objects in cells of a grid, and labels of which a share is wrong.

    The detector misses 6 % of the objects, takes 6 % for another class, sees things on 4 % of the
    empty places, and is less sure where it is wrong.
    """
    generator = np.random.default_rng(seed)
    labels, found, sure, wrong = [], [], [], {}
    for image in range(images):
        cells = generator.permutation(len(_CELLS))
        for number, cell in enumerate(cells):
            box = _box_in(_CELLS[cell], generator)
            name = f"{image:04d}{number:02d}"
            if number >= 5:
                if generator.random() < 0.04:
                    guess = generator.choice(CLASSES)
                    found.append((image, f"p{name}", guess, box, False))
                    sure.append(generator.beta(2, 3))
                continue
            label = generator.choice(CLASSES)
            crowd = number == 4 and generator.random() < 0.5
            seen = _seen((image, name, label, box, crowd), generator)
            found += [row for row, _ in seen]
            sure += [confidence for _, confidence in seen]
            kind = _drawn(generator) if generator.random() < share else None
            rows = _labelled(kind, (image, name, label, box, crowd), generator)
            labels += rows
            if kind is ErrorType.MISSING and seen and not crowd:
                wrong[f"p{name}"] = kind
            elif kind is ErrorType.DUPLICATE and rows[1:]:
                wrong[f"{name}x"] = kind
            elif kind in (ErrorType.WRONG_CLASS, ErrorType.BAD_BOX, ErrorType.ATTRIBUTE):
                wrong[name] = kind
        if generator.random() < share:
            labels.append(
                (image, f"s{image}", "cat", _box_in(_CELLS[cells[-1]], generator), False)
            )
            wrong[f"s{image}"] = ErrorType.SPURIOUS
    return World(table(labels), table(found, sure), wrong)


def _drawn(generator):
    kinds = [kind for kind in ErrorType if kind is not ErrorType.SPURIOUS]
    return kinds[generator.integers(len(kinds))]


def _box_in(cell, generator):
    width, height = generator.uniform(0.1, 0.2, 2)
    left = cell[0] / 4 + generator.uniform(0.01, 0.24 - width)
    top = cell[1] / 3 + generator.uniform(0.01, 0.32 - height)
    return (left, top, width, height)


def _seen(row, generator):
    image, name, label, box, crowd = row
    left, top, width, height = box
    if crowd:
        small = (width * 0.4, height * 0.4)
        corners = [
            (left + x * width, top + y * height) for x in (0.05, 0.55) for y in (0.05, 0.55)
        ]
        return [
            ((image, f"p{name}{number}", label, (*corner, *small), False), generator.beta(12, 2))
            for number, corner in enumerate(corners)
        ]
    if generator.random() < 0.06:
        return []
    mistaken = generator.random() < 0.06
    guess = generator.choice(CLASSES[label != CLASSES]) if mistaken else label
    noise = generator.normal(0, 0.03, 4) * (width, height, width, height)
    seen = tuple(np.add(box, noise).tolist())
    confidence = generator.beta(3, 3) if mistaken else generator.beta(12, 2)
    return [((image, f"p{name}", guess, seen, False), confidence)]


def _labelled(kind, row, generator):
    image, name, label, box, crowd = row
    left, top, width, height = box
    if kind is ErrorType.WRONG_CLASS:
        return [(image, name, generator.choice(CLASSES[label != CLASSES]), box, crowd)]
    if kind is ErrorType.BAD_BOX:
        return [(image, name, label, (left + 0.3 * width, top, width, height), crowd)]
    if kind is ErrorType.ATTRIBUTE:
        return [(image, name, label, box, not crowd)]
    if kind is ErrorType.MISSING and not crowd:
        return []
    if kind is ErrorType.DUPLICATE and not crowd:
        return [row, (image, f"{name}x", label, (left + 0.1 * width, top, width, height), crowd)]
    return [row]


def distorted(world: World, curve) -> World:
    """The same world, whose detector says its confidence on another scale."""
    sure = curve(world.predictions.confidence)
    return replace(world, predictions=replace(world.predictions, confidence=sure))
