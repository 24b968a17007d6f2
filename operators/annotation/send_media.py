"""The questions of the send form about images: which files, and where CVAT finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.core.media import VIDEO
from fiftyone.operators import types

from ...relabel.annotation import MediaReference, UnreadableMedia
from ..forms import choose_some, field_choice, is_folded

if TYPE_CHECKING:
    import fiftyone as fo

SEND, SHARE, STORAGE = "send", "share", "storage"
HALF = 6  # of the form's width, in twelfths

_PLAIN = (
    *("media_field", "seconds_per_image", "seconds_per_label"),
    *("start_frame", "stop_frame", "frame_step"),
)


def ask_media(ctx: Any, inputs: types.Object) -> None:
    """Adds the questions that the dataset calls for."""
    dataset = ctx.dataset
    if dataset.media_type == VIDEO:
        _ask_frames(inputs)
        return
    fields = dataset.app_config.media_fields
    if len(fields) > 1:
        field_choice(inputs, "media_field", fields, label="Images of the field", default=fields[0])
    slices = _image_slices(dataset)
    if slices:
        choose_some(
            inputs,
            "group_slices",
            slices,
            label="Slices of the groups",
            description="Leave it empty for the active one",
        )
    _ask_where(ctx, inputs)
    for name, label in (("image", "Seconds for an image"), ("label", "Seconds for a label")):
        inputs.float(
            f"seconds_per_{name}",
            label=label,
            description="To estimate annotators' time. Empty: a rule of thumb",
            view=types.FieldView(space=HALF),
        )


def read_media(ctx: Any) -> dict[str, Any]:
    """What was answered, as options of a :class:`Request`; what was not keeps its default.

    Raises:
        UnreadableMedia: if it is not said where CVAT finds the images
    """
    params = {} if is_folded(ctx, "more") else ctx.params
    answers = {name: params[name] for name in _PLAIN if params.get(name)}
    if params.get("group_slices"):
        answers["group_slices"] = tuple(params["group_slices"])
    where = params.get("media", SEND)
    if where != SEND:
        answers["media"] = _reference(params, where)
    return answers


def _ask_frames(inputs: types.Object) -> None:
    for name, label, description in (
        ("start_frame", "First frame", "Counted from 1; empty for the first"),
        ("stop_frame", "Last frame", "Empty for the last"),
        ("frame_step", "Every", "So many frames one is sent; empty for all"),
    ):
        view = types.FieldView(space=4)
        inputs.int(name, label=label, description=description, min=1, view=view)


def _ask_where(ctx: Any, inputs: types.Object) -> None:
    choices = types.RadioGroup()
    choices.add_choice(SEND, label="send them")
    choices.add_choice(SHARE, label="on the server's share")
    choices.add_choice(STORAGE, label="in a cloud storage of CVAT")
    where = ctx.params.get("media", SEND)
    inputs.enum(
        "media", choices.values(), default=SEND, label="Where CVAT finds the images", view=choices
    )
    if where == SEND:
        return
    inputs.str(
        "media_root",
        label="Local folder",
        description="Which holds the same files",
        view=types.FieldView(space=HALF),
    )
    inputs.str(
        "media_folder",
        label="Folder there",
        description="Empty for the root",
        view=types.FieldView(space=HALF),
    )
    if where == STORAGE:
        inputs.int(
            "storage_id", label="Cloud storage", description="Its id in CVAT: the number in #12"
        )


def _reference(params: dict[str, Any], where: str) -> MediaReference:
    root, storage_id = params.get("media_root"), params.get("storage_id")
    if not root:
        raise UnreadableMedia(
            "It is not said which local folder CVAT has.", "Name the folder, or send the images."
        )
    if where == STORAGE and not storage_id:
        raise UnreadableMedia("No cloud storage is chosen.", "Name its id in CVAT.")
    folder = params.get("media_folder") or ""
    return MediaReference(root, folder, storage_id if where == STORAGE else None)


def _image_slices(dataset: fo.Dataset) -> list[str]:
    media_types = dataset.group_media_types or {}
    return [name for name, media_type in media_types.items() if media_type == "image"]
