"""Where the shapes of a round are drawn: a task, or one job of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import RoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...cvat import Annotations, CvatClient, Shape

    Drawing = Callable[[int, Sequence[Shape]], list[Shape]]

_TRIES = 3


@dataclass
class Canvas:
    """Takes shapes, in several portions. The first replaces all that is there.

    Args:
        id: of the task or job
        put: replaces what is drawn in it
        add: adds to what is drawn in it
        read: asks what is drawn in it
        resumed: whether an earlier push may have drawn here, and may still be at it
    """

    id: int
    put: Drawing
    add: Drawing
    read: Callable[[int], Annotations]
    resumed: bool
    _begun: bool = field(default=False, init=False)

    @classmethod
    def of_task(cls, client: CvatClient, task_id: int, *, resumed: bool) -> Canvas:
        """All annotation jobs of a task."""
        put, add = client.put_task_shapes, client.add_task_shapes
        return cls(task_id, put, add, client.task_annotations, resumed)

    @classmethod
    def of_job(cls, client: CvatClient, job_id: int, *, resumed: bool) -> Canvas:
        """One job, which may be a replica or a ground-truth job."""
        put, add = client.put_job_shapes, client.add_job_shapes
        return cls(job_id, put, add, client.job_annotations, resumed)

    def draw(self, shapes: Sequence[Shape]) -> Sequence[Shape]:
        """Draws some shapes; returns them with the ids that they got.

        Raises:
            RoundError: if somebody else draws here at the same time
        """
        if self._begun:
            return self.add(self.id, shapes) if shapes else ()
        self._begun = bool(shapes)
        if not self.resumed:
            return self.put(self.id, shapes) if shapes else ()
        # What was interrupted may have been stored meanwhile, beside what is put now.
        for _ in range(_TRIES):
            put = self.put(self.id, shapes)
            if len(self.read(self.id).shapes) == len(shapes):
                return put
        raise RoundError(
            f"Somebody draws in task or job {self.id} while it is being sent.",
            "Send it again when nobody does.",
        )
