"""Media that a server finds itself: on the share that it mounts, or in a cloud storage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from .errors import CvatNotFound, CvatRejected, MediaNotOnServer
from .uploads import reading_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .transport import Transport
    from .uploads import Yardstick


@dataclass(frozen=True)
class CloudStorage:
    """A bucket or container that is registered in CVAT.

    Args:
        id: its id
        name: what people call it
        resource: the name of the bucket or container
    """

    id: int
    name: str
    resource: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CloudStorage:
        """Reads the server's JSON."""
        return cls(data["id"], data["display_name"], data["resource"])


class Storages:
    """The share and the cloud storages of a server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def clouds(self) -> list[CloudStorage]:
        """The cloud storages that we may use."""
        return [
            CloudStorage.from_json(item) for item in self._transport.pages("/api/cloudstorages")
        ]

    def check_holds(self, path: str, storage_id: int | None = None) -> None:
        """Holds that a file is where the server will look for it.

        Args:
            path: its path below the root of the share, or its key in the cloud storage
            storage_id: the cloud storage, or None for the share

        Raises:
            MediaNotOnServer: if it is not there, or there is no such storage
        """
        try:
            listed = self._list(path, storage_id)
        except (CvatNotFound, CvatRejected) as error:
            raise _not_there(path, storage_id, f" ({error.message})") from error
        name = PurePosixPath(path).name
        if all(PurePosixPath(item["name"]).name != name for item in listed):
            raise _not_there(path, storage_id)

    def send(
        self,
        task_id: int,
        paths: Sequence[str],
        *,
        storage_id: int | None = None,
        image_quality: int = 75,
        yardstick: Yardstick | None = None,
    ) -> None:
        """Tells a task which files are its media; frame ``i`` will be file ``i``.

        With honeypots the names of the frames tell. The server reads them afterwards; one that is
        not there fails only then.

        Args:
            task_id: the task, which must be empty
            paths: the files, below the root of the share or as keys in the cloud storage
            storage_id: the cloud storage, or None for the share
            image_quality: of the copies that the server shows, in percent
            yardstick: which of them measure the annotators, and how
        """
        body = {**reading_options(image_quality, yardstick), "server_files": list(paths)}
        if storage_id is not None:
            body["cloud_storage_id"] = storage_id
        self._transport.request(
            "POST",
            f"/api/tasks/{task_id}/data/",
            headers={"Upload-Finish": "true"},
            json=body,
            timeout=self._transport.slow,
        )

    def _list(self, path: str, storage_id: int | None) -> list[Mapping[str, Any]]:
        """The files of that name, and others if the server has its own idea of a search."""
        if storage_id is not None:
            content = self._transport.get(
                f"/api/cloudstorages/{storage_id}/content-v2", prefix=path, page_size=10
            )
            return list(content["content"])
        place = PurePosixPath("/", path)
        listed = self._transport.get(
            "/api/server/share", directory=str(place.parent), search=place.name
        )
        return list(listed)


def _not_there(path: str, storage_id: int | None, reason: str = "") -> MediaNotOnServer:
    if storage_id is None:
        return MediaNotOnServer(
            f"The share of the server has no file {path!r}{reason}.",
            "Check which local folder is the root of the share, and that the share is mounted.",
        )
    return MediaNotOnServer(
        f"The cloud storage {storage_id} has no file {path!r}{reason}.",
        "Check the id of the storage and which local folder is its root.",
    )
