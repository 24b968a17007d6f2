"""Gets the vectors that a form asked for, and says of a result what they were."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.compute.inference.image_model import PIXELS
from ...relabel.compute.inference.recipes import recipe
from ...relabel.compute.inference.zoo import load_zoo_model, require_zoo_embedder
from ...relabel.curation.embedding.checkpoints import Checkpoint
from ...relabel.curation.embedding.descriptors import ImageDescriptor
from ...relabel.curation.embedding.embeddings import (
    Embeddings,
    compute_embeddings,
    read_each,
    read_embeddings,
)
from ...relabel.curation.embedding.keras_models import (
    DOWNLOADED,
    load_application,
    load_model_file,
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
)
from ...relabel.curation.similarity import read_index
from ...relabel.views import views_of
from ..running.batch_size import batch_size_of
from ..running.delegation import progress_reporter
from ..running.ray_cluster import cluster_of
from .embedding_source import (
    INDEX,
    SOURCES,
    application_of,
    field_of,
    index_of,
    source_of,
)
from .vector_origins import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from fiftyone.core.collections import SampleCollection

    from ...relabel.compute.inference.images import Unreadable
    from ...relabel.compute.inference.recipes import Recipe
    from ..running.streaming import Report

_NAMED = 20
ROWS = (
    ("compared_by", "Compared by"),
    ("samples", "Samples compared"),
    ("without_vector", "Samples without a vector"),
)


@contextlib.contextmanager
def embeddings_of(
    ctx: Any,
    report: Report,
    views: Sequence[SampleCollection],
    patches_field: str | None = None,
    kinds: Sequence[str] = SOURCES,
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
            read = partial(read_index, brain_key=index_of(ctx), patches_field=patches_field)
        elif source == FIELD:
            read = partial(read_embeddings, field=field_of(ctx))
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
                batch_size=batch_size_of(ctx),
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


def describe(embeddings: Embeddings) -> dict[str, Any]:
    """What an operator's result says of the vectors that it used."""
    return {
        "compared_by": embeddings.source,
        "samples": len(set(embeddings.sample_ids)),
        "without_vector": embeddings.missing,
        **describe_unreadable(embeddings.unreadable),
        "unusable": list(dict.fromkeys(embeddings.unusable))[:_NAMED],
    }


def describe_unreadable(unreadable: Sequence[Unreadable]) -> dict[str, Any]:
    """What an operator's result says of files that could not be read; the first are named."""
    return {"unreadable": [f"{bad.sample_id} {bad.filepath}" for bad in unreadable[:_NAMED]]}


def name_left_out(outputs: types.Object, result: dict[str, Any]) -> None:
    """Names in an output the samples that were left out, the first of them if they are many."""
    if result.get("unreadable"):
        outputs.list("unreadable", types.String(), label="Unreadable")
    if result.get("unusable"):
        label = "Vectors that are zero or no numbers, of the samples"
        outputs.list("unusable", types.String(), label=label)


def _model(ctx: Any, source: str) -> tuple[Recipe, str]:
    """How the model is loaded, and its name."""
    if source == APPLICATION:
        name = application_of(ctx)
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
