"""All addresses of the stand-in."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Route

from . import (
    about,
    access_tokens,
    annotation_views,
    auth,
    background,
    consensus,
    errors,
    frames,
    issues,
    jobs,
    label_views,
    layout_views,
    organizations,
    pages,
    projects,
    quality,
    storages,
    tasks,
    tus,
    uploads,
    users,
)
from .server import Server
from .web import Resource, encode_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

    from .settings import Settings

_NOT_SUPPORTED = (
    "assets", "assets/{rest:path}", "auth/password/{rest:path}", "auth/register", "auth/rules",
    "cloudstorages/{id:int}/{rest:path}", "consensus/settings", "events",
    "events/{rest:path}", "guides", "guides/{rest:path}", "invitations/{rest:path}",
    "lambda/{rest:path}", "quality/conflicts", "quality/reports/{rest:path}", "webhooks",
    "webhooks/{rest:path}", "server/annotation/formats", "server/plugins",
    "schema/", "projects/backup/", "projects/{id:int}/backup/export",
    "projects/{id:int}/dataset/",
    "projects/{id:int}/dataset/export", "projects/{id:int}/preview", "tasks/backup/",
    "tasks/{id:int}/backup/export", "tasks/{id:int}/dataset/export",
    "jobs/{id:int}/dataset/export",
)  # fmt: skip


def create_app(settings: Settings) -> Starlette:
    """The ASGI application; it opens its data when it starts and closes them when it ends."""
    server = Server.open(settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        server.close()

    app = Starlette(
        routes=[*_routes(server), *_page_routes(server)],
        lifespan=lifespan,
        # A page of another site must not reach it under a name of its own.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        exception_handlers={404: _not_found},
    )
    app.router.redirect_slashes = False
    return app


def _routes(server: Server) -> list[Route]:
    def at(path: str, **handlers: Any) -> Route:
        return Route(f"/api/{path}", Resource(server, handlers))

    def at_both(path: str, resource: Resource) -> list[Route]:
        """With and without a closing slash, as only data and annotations can be asked for."""
        return [Route(f"/api/{path}", resource), Route(f"/api/{path}/", resource)]

    refuse = dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), about.refuse)
    return [
        Route("/api/server/about", Resource(server, {"GET": about.show_about}, public=True)),
        *_auth_routes(server),
        at("users", GET=users.list_users),
        at("users/self", GET=users.show_self),
        at("users/{id:int}", GET=users.show_user, DELETE=users.delete_user),
        at("organizations", GET=organizations.list_organizations,
           POST=organizations.create_organization),
        at("organizations/{id:int}", GET=organizations.show_organization,
           DELETE=organizations.delete_organization),
        at("memberships", GET=organizations.list_memberships),
        at("memberships/{id:int}", PATCH=organizations.change_membership,
           DELETE=organizations.delete_membership),
        at("invitations", POST=organizations.invite, GET=about.refuse),
        at("projects", GET=projects.list_projects, POST=projects.create_project),
        at("projects/{id:int}", GET=projects.show_project, PATCH=projects.change_project,
           DELETE=projects.delete_project),
        at("tasks", GET=tasks.list_tasks, POST=tasks.create_task),
        at("tasks/{id:int}", GET=tasks.show_task, PATCH=tasks.change_task,
           DELETE=tasks.delete_task),
        at("tasks/{id:int}/status", GET=uploads.show_status),
        at("tasks/{id:int}/data/meta", GET=frames.show_task_meta, PATCH=frames.change_task_meta),
        *at_both("tasks/{id:int}/data", Resource(
            server, {"GET": frames.task_data, "OPTIONS": tus.describe},
            {"POST": uploads.post_data}, exclusive=False)),
        Route("/api/tasks/{id:int}/data/{upload}",
              Resource(server, {"GET": tus.tell}, {"PATCH": tus.append}, exclusive=False)),
        at("tasks/{id:int}/preview", GET=frames.task_preview),
        *at_both("tasks/{id:int}/annotations", Resource(server, {
            "GET": annotation_views.show_task, "PUT": annotation_views.put_task,
            "PATCH": annotation_views.patch_task, "DELETE": annotation_views.delete_task,
            "POST": annotation_views.post}, exclusive=False)),
        at("jobs", GET=jobs.list_jobs, POST=jobs.create_job),
        at("jobs/{id:int}", GET=jobs.show_job, PATCH=jobs.change_job, DELETE=jobs.delete_job),
        at("jobs/{id:int}/data/meta", GET=frames.show_job_meta, PATCH=frames.change_job_meta),
        Route("/api/jobs/{id:int}/data",
              Resource(server, {"GET": frames.job_data}, exclusive=False)),
        at("jobs/{id:int}/preview", GET=frames.job_preview),
        *at_both("jobs/{id:int}/annotations", Resource(server, {
            "GET": annotation_views.show_job, "PUT": annotation_views.put_job,
            "PATCH": annotation_views.patch_job, "DELETE": annotation_views.delete_job,
            "POST": annotation_views.post}, exclusive=False)),
        at("tasks/{id:int}/validation_layout", GET=layout_views.show_task_layout,
           PATCH=about.refuse),
        at("jobs/{id:int}/validation_layout", GET=layout_views.show_job_layout,
           PATCH=about.refuse),
        at("quality/settings", GET=quality.list_settings),
        at("quality/settings/{id:int}", GET=quality.show_settings,
           PATCH=quality.change_settings),
        at("quality/reports", POST=quality.create_report, GET=about.refuse),
        at("consensus/merges", POST=consensus.create_merge),
        at("server/share", GET=storages.list_share),
        at("cloudstorages", GET=storages.list_clouds, POST=storages.create_cloud),
        at("cloudstorages/{id:int}", GET=storages.show_cloud, DELETE=storages.delete_cloud,
           PATCH=about.refuse),
        at("cloudstorages/{id:int}/content-v2", GET=storages.list_content),
        at("labels", GET=label_views.list_labels),
        at("labels/{id:int}", GET=label_views.show_label, PATCH=label_views.change,
           DELETE=label_views.delete_label),
        at("issues", GET=issues.list_issues, POST=issues.create_issue),
        at("issues/{id:int}", GET=issues.show_issue, PATCH=issues.change_issue,
           DELETE=issues.delete_issue),
        at("comments", GET=issues.list_comments, POST=issues.create_comment),
        at("comments/{id:int}", GET=issues.show_comment, PATCH=issues.change_comment,
           DELETE=issues.delete_comment),
        at("requests", GET=background.list_requests),
        at("requests/{id:path}/cancel", POST=background.cancel_request),
        at("requests/{id:path}", GET=background.show_request),
        *(Route(f"/api/{path}", Resource(server, refuse)) for path in _NOT_SUPPORTED),
        *(Route(f"/api/{kind}/{{id:int}}/{what}", Resource(server, {"GET": about.show_gone}))
          for kind in ("projects", "tasks", "jobs") for what in ("dataset", "backup")),
    ]  # fmt: skip


def _auth_routes(server: Server) -> list[Route]:
    token = {"GET": access_tokens.show_token, "DELETE": access_tokens.delete_token}
    tokens = {"GET": access_tokens.list_tokens, "POST": access_tokens.create_token}
    own = {"GET": access_tokens.show_own_token}
    log_in = Resource(server, {"POST": auth.log_in}, public=True, exclusive=False)
    log_out = Resource(server, {"POST": auth.log_out, "GET": auth.log_out}, public=True)
    return [
        Route("/api/auth/login", log_in),
        Route("/api/auth/logout", log_out),
        Route("/api/auth/access_tokens", Resource(server, tokens)),
        Route("/api/auth/access_tokens/self", Resource(server, own)),
        Route("/api/auth/access_tokens/{id:int}", Resource(server, token)),
    ]


def _page_routes(server: Server) -> list[Route]:
    return [
        Route("/", pages.Page(server, pages.show_tasks)),
        Route("/tasks", pages.Page(server, pages.show_tasks)),
        Route("/tasks/{id:int}", pages.Page(server, pages.show_task)),
        Route("/tasks/{id:int}/frames/{number:int}", pages.Page(server, pages.show_frame)),
        Route(
            "/tasks/{id:int}/jobs/{job_id:int}",
            pages.Page(server, pages.show_job, pages.change_job),
        ),
    ]


async def _not_found(_: Request, __: Exception) -> Response:
    return encode_error(errors.page_not_found())
