"""Does with an operator what the App does: its form, its button, its output, by HTTP-like JSON."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionContext, Executor

if TYPE_CHECKING:
    from types import ModuleType

SERVER = ("FIFTYONE_CVAT_URL", "FIFTYONE_CVAT_USERNAME", "FIFTYONE_CVAT_PASSWORD")


def uri(name: str) -> str:
    return f"@relabel/cvat/{name}"


def context(name: str, dataset: Any, params: dict | None = None, **request: Any):
    request_params = {"dataset_name": dataset.name, "params": dict(params or {}), **request}
    return ExecutionContext(
        request_params=request_params,
        executor=Executor(),
        operator_uri=uri(name),
        required_secrets=operator(name)._plugin_secrets,
    )


def operator(name: str) -> foo.Operator:
    return foo.get_operator(uri(name))


def module_of_plugin(name: str) -> ModuleType:
    """A module of the plugin as the App has it, which loads it under a name of its own.

    Args:
        name: below the plugin's folder, e.g. ``"operators.finding"``
    """
    plugin = type(operator("send_to_cvat")).__module__.rsplit(".operators.", 1)[0]
    return importlib.import_module(f"{plugin}.{name}")


def form(name: str, dataset: Any, params: dict | None = None, **request: Any) -> dict:
    """The fields of the operator's form, as the App gets them, by name."""
    ctx = context(name, dataset, params, **request)
    resolved = operator(name).resolve_type(ctx, "inputs").to_json()
    return resolved["type"]["properties"]


def output(name: str, dataset: Any, result: dict) -> dict:
    """What the operator says of its result, as the App gets it, by name."""
    resolved = operator(name).resolve_type(context(name, dataset, results=result), "outputs")
    return resolved.to_json()["type"]["properties"]


def button(name: str, dataset: Any, params: dict | None = None, **request: Any) -> str:
    """The label of the form's button."""
    ctx = context(name, dataset, params, **request)
    return operator(name).resolve_type(ctx, "inputs").to_json()["view"]["submit_button_label"]


def problems(fields: dict) -> list[str]:
    """What a form says is wrong, and blocks its button."""
    return [field["error_message"] for field in fields.values() if field["invalid"]]


def texts(fields: dict) -> str:
    """All that a form says in notices and warnings."""
    return "\n".join(str((field["view"] or {}).get("label")) for field in fields.values())


def execute(name: str, dataset: Any, params: dict | None = None, **request: Any):
    """Runs the operator at once."""
    return foo.execute_operator(uri(name), dataset=dataset, params=dict(params or {}), **request)


def requests_of(result: Any) -> list[str]:
    """What the operator asked of the App, e.g. ``set_view``."""
    return [request.operator_uri.rsplit("/", 1)[-1] for request in result.executor._requests]


def delegate(name: str, dataset: Any, params: dict | None = None, **request: Any):
    """Queues the operator and runs it as an executor does; returns the run's document."""
    queued = execute(name, dataset, params, request_delegation=True, **request)
    assert queued.delegated
    service = DelegatedOperationService()
    service.execute_queued_operations(dataset_name=dataset.name)
    return service.get(ObjectId(queued.result["id"]))
