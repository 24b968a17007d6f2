"""Talks to a CVAT server over its REST API. Knows nothing of FiftyOne."""

from .client import CvatClient
from .config import CvatConfig, Timeouts
from .errors import (
    CvatDataRejected,
    CvatError,
    CvatForbidden,
    CvatNotConfigured,
    CvatNotFound,
    CvatRejected,
    CvatServerError,
    CvatThrottled,
    CvatTlsError,
    CvatTooLarge,
    CvatUnauthorized,
    CvatUnreachable,
    NotACvatServer,
    UnknownAssignee,
)
from .models import (
    Annotations,
    AttributeSpec,
    InputType,
    Job,
    JobStage,
    JobState,
    LabelSpec,
    ServerInfo,
    Shape,
    User,
)
from .reviews import Issue
from .uploads import ImageFile

__all__ = [
    "Annotations",
    "AttributeSpec",
    "CvatClient",
    "CvatConfig",
    "CvatDataRejected",
    "CvatError",
    "CvatForbidden",
    "CvatNotConfigured",
    "CvatNotFound",
    "CvatRejected",
    "CvatServerError",
    "CvatThrottled",
    "CvatTlsError",
    "CvatTooLarge",
    "CvatUnauthorized",
    "CvatUnreachable",
    "ImageFile",
    "InputType",
    "Issue",
    "Job",
    "JobStage",
    "JobState",
    "LabelSpec",
    "NotACvatServer",
    "ServerInfo",
    "Shape",
    "Timeouts",
    "UnknownAssignee",
    "User",
]
