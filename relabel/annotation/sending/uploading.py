"""Gets the media of a task to CVAT, and remembers how far that is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...cvat import UploadJournal
from ..planning.planned import note_upload
from ..record.round import TaskStep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bson import ObjectId

    from ...cvat import CvatClient, Yardstick
    from ...cvat.uploads import UploadProgress
    from ..dataset.media import RoundImage
    from ..record.request import Request
    from ..record.round import SentTask

UPLOADING = frozenset({TaskStep.CREATED, TaskStep.SENDING})
"""The steps at which CVAT may have all media of a task, some, or none."""


class TaskJournal(UploadJournal):
    """What is recorded of the upload of a task: a process that takes over goes on with it.

    Args:
        round_id: the round
        task: the task as it stands
        images: what is uploaded
        save: writes the task as it stands then
    """

    def __init__(
        self,
        round_id: ObjectId,
        task: SentTask,
        images: Sequence[RoundImage],
        save: Callable[[SentTask], None],
    ) -> None:
        self._round_id = round_id
        self._task = task
        self._begun = {image.file.name: image.upload_id for image in images if image.upload_id}
        self._save = save

    @property
    def small_sent(self) -> bool:
        """Whether all files that fit into a request are there."""
        return self._task.step is TaskStep.SENDING

    def note_small_sent(self) -> None:
        """Notes that they are: from now on nothing has to be sent again."""
        self._note(replace(self._task, step=TaskStep.SENDING))

    @property
    def files_sent(self) -> int:
        """How many of them are certainly there, the first ones, if not all are."""
        return self._task.sent

    def note_files_sent(self, count: int) -> None:
        """Notes how many are: they are not sent again if this process dies."""
        self._note(replace(self._task, sent=count))

    def note_upload(self, name: str, upload_id: str) -> None:
        """Notes that the upload of a large file was begun."""
        super().note_upload(name, upload_id)
        note_upload(self._round_id, name, upload_id)

    def _note(self, task: SentTask) -> None:
        self._task = task
        self._save(task)


def check_reference(client: CvatClient, request: Request, images: Sequence[RoundImage]) -> None:
    """Holds that CVAT finds the first image where it is told to, before anything is made there.

    Raises:
        MediaNotOnServer: if it does not
    """
    if request.media is not None:
        client.storages.check_holds(images[0].file.name, request.media.storage_id)


def send_media(
    client: CvatClient,
    task_id: int,
    images: Sequence[RoundImage],
    request: Request,
    *,
    journal: UploadJournal,
    yardstick: Yardstick | None = None,
    progress: UploadProgress | None = None,
) -> None:
    """Sends the images or the video of a task, or tells CVAT where it finds them itself."""
    files = [image.file for image in images]
    if images[0].frames:
        client.upload_video(
            task_id,
            files[0],
            request.span,
            image_quality=request.image_quality,
            journal=journal,
            progress=progress,
        )
    elif request.media is None:
        client.upload_images(
            task_id,
            files,
            image_quality=request.image_quality,
            yardstick=yardstick,
            journal=journal,
            progress=progress,
        )
    else:
        client.storages.send(
            task_id,
            [file.name for file in files],
            storage_id=request.media.storage_id,
            image_quality=request.image_quality,
            yardstick=yardstick,
        )
