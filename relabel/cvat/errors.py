"""What can go wrong between us and a CVAT server.

Every error says what happened and what the user can do. None of them carries a secret.
"""

from ..errors import RelabelError


class CvatError(RelabelError):
    """Anything that went wrong with a CVAT server."""


class CvatNotConfigured(CvatError):
    """No address or no credentials of a CVAT server are known."""


class CvatUnreachable(CvatError):
    """The server did not answer: wrong address, no network, or a time-out."""


class CvatTlsError(CvatUnreachable):
    """The server's TLS certificate could not be verified."""


class NotACvatServer(CvatError):
    """Something answered at the address, but it is not CVAT."""


class CvatUnauthorized(CvatError):
    """The server does not accept the user name, password or token."""


class CvatForbidden(CvatError):
    """The user may not do this."""


class CvatNotFound(CvatError):
    """The task, job or project does not exist (any more)."""


class CvatRejected(CvatError):
    """The server refused the content of a request."""


class CvatTooLarge(CvatRejected):
    """A request was larger than the server, or a proxy before it, takes."""


class CvatConflict(CvatRejected):
    """The server has something of that name already, or is elsewhere in it than we thought."""


class CvatThrottled(CvatError):
    """The server asks to slow down, also after waiting as it asked."""


class CvatServerError(CvatError):
    """The server failed at a request."""


class CvatNeverRead(CvatServerError):
    """The server took the files of a task, but does not come to an end reading them."""


class CvatDataRejected(CvatRejected):
    """The server took the files of a task but could not read them.

    Args:
        message: what happened, in a sentence
        advice: what the user can do about it, in a sentence
        task_id: the task
    """

    def __init__(self, message: str, advice: str = "", *, task_id: int | None = None) -> None:
        super().__init__(message, advice)
        self.task_id = task_id


class MediaNotOnServer(CvatError):
    """Media are not where the server was told to look for them."""


class UnknownAssignee(CvatError):
    """A person who is to get a job is not a user of the server."""


class UnknownProject(CvatError):
    """There is no such project, or more than one."""


class ProjectConflict(CvatError):
    """A project cannot take a task, because its classes are others."""
