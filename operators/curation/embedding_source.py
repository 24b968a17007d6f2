"""Asks where a sample's vector comes from, and gets it."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.compute.inference.image_model import PIXELS
from ...relabel.compute.inference.recipes import recipe
from ...relabel.compute.inference.stamps import contents_of, size_of
from ...relabel.compute.inference.zoo import load_zoo_model, require_zoo_embedder, zoo_embedders
from ...relabel.curation.embedding.checkpoints import Checkpoint
from ...relabel.curation.embedding.descriptors import ImageDescriptor
from ...relabel.curation.embedding.embeddings import (
    Embeddings,
    compute_embeddings,
    read_each,
    read_embeddings,
    require_vector_field,
    vector_fields,
)
from ...relabel.curation.embedding.keras_models import (
    APPLICATIONS,
    DOWNLOADED,
    load_application,
    load_model_file,
    require_application,
    require_model_file,
    require_pixels,
    require_weights,
)
from ...relabel.curation.embedding.origins import (
    APPLICATION,
    DESCRIPTOR,
    FIELD,
    MODEL_FILE,
    ZOO,
    Origin,
    recorded_origins,
    require_same_origin,
)
from ...relabel.curation.similarity import indexes, read_index, require_index
from ...relabel.curation.storing.many_ids import views_of
from ...relabel.errors import RelabelError
from ..forms import errors_shown, field_choice, number_of, show_notice, show_warning
from ..running.delegation import progress_reporter, runs_elsewhere
from ..running.ray_cluster import cluster_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

    from ...relabel.compute.inference.recipes import Recipe
    from ..running.streaming import Report

INDEX = "index"
COMPUTED = (DESCRIPTOR, APPLICATION, MODEL_FILE, ZOO)
IMAGES = "(whole images)"  # in place of a field of patches
DEFAULT_BATCH = 32
_THERE = "vectors that are there"
_NAMED = 20
_HASHED_IN_FORMS = 1 << 28  # bytes: a second, once
_LABELS = {
    INDEX: "What a similarity index was made of",
    FIELD: "Vectors in a field",
    DESCRIPTOR: "Built-in image descriptor: shapes and colours",
    APPLICATION: "A Keras application",
    MODEL_FILE: "A .keras file, or a TensorFlow SavedModel",
    ZOO: "A model of FiftyOne's zoo",
}


def ask_for_embeddings(
    ctx: Any, inputs: types.Object, kinds: Sequence[str] = tuple(_LABELS)
) -> str:
    """Adds to a form the choice of where vectors come from, and what that needs to know.

    By default they are taken from an index or a field if there is one and it stands before the
    built-in descriptor among the kinds, else that makes them. It makes those of patches, too.

    Args:
        ctx: the execution context
        inputs: the form
        kinds: what may be chosen

    Returns:
        what is chosen
    """
    dataset = ctx.dataset
    there = {INDEX: bool(indexes(dataset)), FIELD: bool(vector_fields(dataset))}
    source = source_of(ctx, kinds)
    choices = types.RadioGroup()
    for kind in kinds:
        if there.get(kind, True) or kind == source:
            choices.add_choice(kind, label=_LABELS[kind])
    inputs.enum("embeddings", choices.values(), default=source, label="Compare by", view=choices)
    ask = {
        INDEX: _ask_for_index,
        FIELD: _ask_for_field,
        DESCRIPTOR: _describe_descriptor,
        APPLICATION: _ask_for_application,
        MODEL_FILE: _ask_for_model_file,
        ZOO: _ask_for_zoo,
    }
    ask[source](ctx, inputs)
    if source in COMPUTED:
        inputs.int(
            "batch_size",
            default=DEFAULT_BATCH,
            min=1,
            label="Images at once",
            description="Fewer by itself when memory runs out",
        )
    return source


def source_of(ctx: Any, kinds: Sequence[str] = tuple(_LABELS)) -> str:
    """Where the form says that vectors come from; without an answer, what is there."""
    chosen = ctx.params.get("embeddings")
    if chosen in kinds:
        return str(chosen)
    return DESCRIPTOR if asked_for_patches(ctx) else _default_source(ctx.dataset, kinds)


def asked_for_patches(ctx: Any) -> bool:
    """Whether the patches of a label field are to be compared, in place of whole images."""
    return ctx.params.get("patches_field") not in (None, "", IMAGES)


def vectors_from(ctx: Any, kinds: Sequence[str] = tuple(_LABELS)) -> str:
    """What makes the vectors, as far as it decides how long that takes.

    Args:
        ctx: the execution context
        kinds: what may be chosen
    """
    source = source_of(ctx, kinds)
    if source not in COMPUTED:
        return _THERE
    named = {
        DESCRIPTOR: "the built-in descriptor",
        APPLICATION: ctx.params.get("application") or next(iter(APPLICATIONS)),
        MODEL_FILE: ctx.params.get("model_path"),
        ZOO: ctx.params.get("zoo_model"),
    }
    model = str(named[source] or "no model")
    return f"{model}, on patches" if asked_for_patches(ctx) else model


@contextlib.contextmanager
def embeddings_of(
    ctx: Any,
    report: Report,
    views: Sequence[SampleCollection],
    patches_field: str | None = None,
    kinds: Sequence[str] = tuple(_LABELS),
    *,
    beside: Collection[str] = (),
) -> Iterator[Embeddings]:
    """Computes or reads the vectors that the form asked for.

    What a model computes is kept until the body is done: if that fails or is cancelled, the next
    run with the same model goes on with it.

    Args:
        ctx: the execution context
        report: told how far it is
        views: the samples; several views where one cannot name them all
        patches_field: a label field whose patches get vectors, in place of the images
        kinds: what could be chosen
        beside: samples that need vectors as well, in a view or not; those without are left out

    Raises:
        EmbeddingsError, ModelNotFound, RayUnreachable, NodeCannotSee: as said there
    """
    source, origin = source_of(ctx, kinds), origin_of(ctx, kinds)
    read: Callable[[SampleCollection], Embeddings]
    with contextlib.ExitStack() as connection:
        checkpoint = None
        if source == INDEX:
            read = partial(read_index, brain_key=_index(ctx))
        elif source == FIELD:
            read = partial(read_embeddings, field=_field(ctx))
        else:
            model, name = _model(ctx, source)
            made_by = [source, model.args, model.named, model.changed]
            checkpoint = Checkpoint([str(ctx.dataset._doc.id), patches_field, made_by])  # noqa: SLF001
            cluster = connection.enter_context(cluster_of(ctx))
            report(0, "Loading the model")
            compute = partial(
                compute_embeddings,
                model=model,
                source=name,
                batch_size=int(number_of(ctx, "batch_size", DEFAULT_BATCH)) or DEFAULT_BATCH,
                patches_field=patches_field,
                cluster=cluster,
                checkpoint=checkpoint,
            )

            def read(view: SampleCollection) -> Embeddings:
                # Each view has a pace of its own.
                return compute(view, progress=progress_reporter(ctx, "images", report))

        others = set(beside).difference(*(view.values("id") for view in views if beside))
        found = read_each(views, read, beside=views_of(ctx.dataset, sorted(others)))
    yield replace(found, origin=origin)
    if checkpoint:
        checkpoint.discard()


def origin_of(
    ctx: Any, kinds: Sequence[str] = tuple(_LABELS), *, in_form: bool = False
) -> Origin | None:
    """What makes the vectors that the form asks for; None if it is an index that does not say.

    Args:
        ctx: the execution context
        kinds: what may be chosen
        in_form: whether that is asked at a keystroke: what takes long, or is not here, is left out

    Raises:
        ModelNotFound: if there is no such file; not in a form
    """
    source, given = source_of(ctx, kinds), ctx.params
    if source == INDEX:
        recorded = recorded_origins(ctx.dataset, require_index(ctx.dataset, _index(ctx)))
        return next(iter(recorded), None)
    if source == FIELD:
        return Origin(FIELD, _field(ctx))
    if source == APPLICATION:
        name, weights = given.get("application") or next(iter(APPLICATIONS)), given.get("weights")
        if not weights:
            return Origin(APPLICATION, name, (("weights", DOWNLOADED),))
        return Origin(APPLICATION, name, (), _contents(ctx, weights, require_weights, in_form))
    if source == MODEL_FILE:
        path, output = str(given.get("model_path") or ""), given.get("output")
        options = [("pixels", str(given.get("pixels") or next(iter(PIXELS))))]
        options += [("output", str(output))] if output else []
        contents = _contents(ctx, path, require_model_file, in_form)
        return Origin(MODEL_FILE, path, tuple(options), contents)
    return Origin(source, str(given.get("zoo_model")) if source == ZOO else source)


def tell_of_origin(
    ctx: Any, inputs: types.Object, brain_key: str, kinds: Sequence[str] = tuple(_LABELS)
) -> None:
    """Says in a form whether new vectors compare with those of a run that they are added to.

    Args:
        ctx: the execution context
        inputs: the form
        brain_key: the name of the run
        kinds: where vectors may come from

    Raises:
        NotAddable: if they do not
        EmbeddingsError: if there is no such index
    """
    if require_same_origin(ctx.dataset, brain_key, origin_of(ctx, kinds, in_form=True)):
        maker = recorded_origins(ctx.dataset, brain_key)[0]
        show_notice(inputs, "made_by", f"{brain_key} was made by {maker}.")
    else:
        text = "What made the vectors on either side is not recorded, so it cannot be checked."
        show_warning(inputs, "made_by", text)


def _contents(
    ctx: Any, path: str, require: Callable[[str], Path | str], in_form: bool
) -> str | None:
    if not in_form:
        return contents_of(require(path))
    with contextlib.suppress(RelabelError, OSError):  # the form says so already
        if not runs_elsewhere(ctx) and size_of(require(path)) <= _HASHED_IN_FORMS:
            return contents_of(path)
    return None


def describe(embeddings: Embeddings) -> dict[str, Any]:
    """What an operator's result says of the vectors that it used."""
    return {
        "compared_by": embeddings.source,
        "samples": len(set(embeddings.sample_ids)),
        "without_vector": embeddings.missing,
        "unreadable": [
            f"{bad.sample_id} {bad.filepath}" for bad in embeddings.unreadable[:_NAMED]
        ],
        "unusable": list(dict.fromkeys(embeddings.unusable))[:_NAMED],
    }


ROWS = (
    ("compared_by", "Compared by"),
    ("samples", "Samples compared"),
    ("without_vector", "Samples without a vector"),
)


def name_left_out(outputs: types.Object, result: dict[str, Any]) -> None:
    """Names in an output the samples that were left out, the first of them if they are many."""
    if result.get("unreadable"):
        outputs.list("unreadable", types.String(), label="Unreadable")
    name_unusable(outputs, result)


def name_unusable(outputs: types.Object, result: dict[str, Any]) -> None:
    """Names in an output the samples whose vectors are zero or no numbers."""
    if result.get("unusable"):
        label = "Vectors that are zero or no numbers, of the samples"
        outputs.list("unusable", types.String(), label=label)


def _default_source(dataset: fo.Dataset, kinds: Sequence[str]) -> str:
    there = {INDEX: indexes(dataset), FIELD: vector_fields(dataset), DESCRIPTOR: True}
    return next(kind for kind in kinds if there.get(kind))


def _describe_descriptor(ctx: Any, inputs: types.Object) -> None:  # noqa: ARG001
    text = "No network and no GPU needed. It tells look-alikes, not what things are."
    show_notice(inputs, "descriptor_notice", text)


def _ask_for_index(ctx: Any, inputs: types.Object) -> None:
    known = indexes(ctx.dataset)
    field_choice(inputs, "index", known, label="Index", default=_first(known))
    with errors_shown(inputs, "embeddings_problem"):
        require_index(ctx.dataset, _index(ctx))


def _ask_for_field(ctx: Any, inputs: types.Object) -> None:
    known = vector_fields(ctx.dataset)
    field_choice(inputs, "vector_field", known, label="Field", default=_first(known))
    with errors_shown(inputs, "embeddings_problem"):
        require_vector_field(ctx.dataset, _field(ctx))


def _ask_for_application(ctx: Any, inputs: types.Object) -> None:
    names = types.DropdownView()
    for name in APPLICATIONS:
        names.add_choice(name, label=name)
    inputs.enum(
        "application", names.values(), default=next(iter(APPLICATIONS)), label="Model", view=names
    )
    inputs.str(
        "weights",
        label="File of weights",
        description="Without the top. If empty, Keras takes ImageNet's from its cache "
        "(~/.keras/models), or from the network",
    )
    if ctx.params.get("weights") and not runs_elsewhere(ctx):
        with errors_shown(inputs, "model_problem"):
            require_weights(ctx.params["weights"])


def _ask_for_model_file(ctx: Any, inputs: types.Object) -> None:
    inputs.str(
        "model_path",
        required=True,
        label=".keras file, or folder of the SavedModel",
        description="Where the operator runs",
    )
    inputs.str("output", label="Layer or output with the vectors", description="The last if empty")
    ranges = types.RadioGroup(orientation="horizontal")
    for name in PIXELS:
        ranges.add_choice(name, label=name)
    inputs.enum(
        "pixels",
        ranges.values(),
        default=next(iter(PIXELS)),
        label="Pixels that it expects",
        view=ranges,
    )
    if ctx.params.get("model_path") and not runs_elsewhere(ctx):
        with errors_shown(inputs, "model_problem"):
            require_model_file(ctx.params["model_path"])


def _ask_for_zoo(ctx: Any, inputs: types.Object) -> None:
    names = types.AutocompleteView()
    for name in zoo_embedders():
        names.add_choice(name, label=name)
    inputs.str("zoo_model", required=True, label="Name of the model", view=names)
    if ctx.params.get("zoo_model"):
        with errors_shown(inputs, "model_problem"):
            require_zoo_embedder(ctx.params["zoo_model"], here=not runs_elsewhere(ctx))


def _model(ctx: Any, source: str) -> tuple[Recipe, str]:
    """How the model is loaded, and its name."""
    if source == APPLICATION:
        name = require_application(ctx.params.get("application") or next(iter(APPLICATIONS)))
        weights = require_weights(ctx.params.get("weights") or DOWNLOADED)
        return recipe(load_application, name, weights, reads=weights), name
    if source == MODEL_FILE:
        path = str(require_model_file(ctx.params.get("model_path")))
        pixels = require_pixels(ctx.params.get("pixels") or next(iter(PIXELS)))
        output = ctx.params.get("output") or None
        return recipe(load_model_file, path, reads=path, output=output, pixels=pixels), path
    if source == ZOO:
        name = require_zoo_embedder(ctx.params.get("zoo_model"))
        return recipe(load_zoo_model, name), name
    return recipe(ImageDescriptor), DESCRIPTOR


def _index(ctx: Any) -> str:
    return ctx.params.get("index") or _first(indexes(ctx.dataset)) or ""


def _field(ctx: Any) -> str:
    return ctx.params.get("vector_field") or _first(vector_fields(ctx.dataset)) or ""


def _first(names: list[str]) -> str | None:
    return names[0] if names else None
