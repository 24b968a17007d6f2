"""Media that CVAT finds itself, on the share that its server mounts or in a cloud storage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class MediaReference:
    """Where CVAT finds the files of a dataset.

    Args:
        root: the local folder that holds the same files as the share or the cloud storage
        folder: the folder of the share or storage that this is, empty for its root
        storage_id: the id of the cloud storage in CVAT, or None for the share
    """

    root: str
    folder: str = ""
    storage_id: int | None = None

    def name_of(self, path: Path) -> str:
        """What CVAT calls a local file.

        Raises:
            ValueError: if it does not lie under the root
        """
        below = path.relative_to(Path(self.root)).as_posix()
        return str(PurePosixPath(self.folder.strip("/")) / below)
