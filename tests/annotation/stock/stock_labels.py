"""Labels of every kind that stock FiftyOne sends."""

from __future__ import annotations

import fiftyone as fo
import numpy as np

ODD = [0.123456789, 1 / 3, 0.2719, 0.7 / 3]
MASK = np.ones((11, 17), dtype=bool)
MASK[0, :5] = MASK[7:9, 9:] = False


def boxes():
    return fo.Detections(
        detections=[
            fo.Detection(label="cat", bounding_box=ODD, score=0.125, lost=None, n=3, tags=["t"]),
            fo.Detection(label="dog", bounding_box=ODD[::-1], rotation=30.5, seen=True, n=0),
        ]
    )


def masks():
    box = [0.123, 0.25, 17 / 64, 11 / 48]
    return fo.Detections(
        detections=[
            fo.Detection(label="cat", bounding_box=box, mask=MASK),
            fo.Detection(label="dog", bounding_box=[0.5, 0.4, 0.3, 0.3], mask=MASK),
            fo.Detection(label="dog", bounding_box=[0.9, -0.1, 17 / 64, 11 / 48], mask=MASK),
        ]
    )


def polygons():
    outer = [(0.1234, 0.1), (0.9, 0.1), (0.9, 0.9), (1 / 3, 0.9)]
    hole = [(0.4, 0.4), (0.6, 0.4), (0.5, 0.61)]
    island = [(0.92, 0.92), (0.95, 0.92), (0.95, 0.95)]
    return fo.Polylines(
        polylines=[
            fo.Polyline(label="lake", points=[outer, hole, island], closed=True, filled=True),
            fo.Polyline(label="lake", points=[island], closed=True, filled=True, confidence=0.5),
        ]
    )


def lines():
    line = [(0.1234, 0.1), (0.9, 0.1), (1 / 3, 0.9)]
    return fo.Polylines(
        polylines=[
            fo.Polyline(label="road", points=[line, line[::-1]]),
            fo.Polyline(label="rail", points=[line], closed=True),
        ]
    )


def keypoints():
    return fo.Keypoints(
        keypoints=[fo.Keypoint(label="nose", points=[(0.1234, 1 / 3), (0.5, 0.5)], kind="a")]
    )


def classes():
    return fo.Classifications(
        classifications=[
            fo.Classification(label="day", wet=True, confidence=0.5),
            fo.Classification(label="rain", n=2),
        ]
    )


KINDS = {
    "boxes": (boxes, {}),
    "masks": (masks, {"label_type": "instances"}),
    "polygons": (polygons, {}),
    "lines": (lines, {"label_type": "polylines"}),
    "keypoints": (keypoints, {}),
    "classes": (classes, {}),
    "one_box": (lambda: boxes().detections[0], {}),
    "one_mask": (lambda: masks().detections[0], {"label_type": "instance"}),
    "one_polygon": (lambda: polygons().polylines[0], {}),
    "one_keypoint": (lambda: keypoints().keypoints[0], {}),
    "one_class": (lambda: classes().classifications[0], {}),
}
