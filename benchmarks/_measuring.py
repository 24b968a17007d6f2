"""What every benchmark needs: a stopwatch that also counts requests and memory; figures."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

MB = 1e6


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Measures what a piece of code costs this process.

    Yields:
        what is filled in at the end: ``seconds``; ``waiting``, the seconds of them that were
        spent in HTTP requests; ``cpu_seconds`` of this process; ``requests``; ``memory_mb``, the
        peak of resident memory over the start; ``private_mb``, the same without the pages of files
        that are mapped, which the system takes back when it needs them
    """
    figures: dict[str, float] = {"requests": 0, "waiting": 0.0}
    process, stop = psutil.Process(), threading.Event()
    start = peak = np.array(_memory(process))

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.005):
            peak = np.maximum(peak, _memory(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, cpu_began = time.perf_counter(), time.process_time()
    try:
        with _watched_requests(figures):
            yield figures
    finally:
        figures["seconds"] = time.perf_counter() - began
        figures["cpu_seconds"] = time.process_time() - cpu_began
        stop.set()
        watcher.join()
        figures["memory_mb"], figures["private_mb"] = ((peak - start) / MB).tolist()


def _memory(process: psutil.Process) -> tuple[int, int]:
    """Resident memory, and what of it no file backs, as far as the system can tell them apart."""
    info = process.memory_info()
    return info.rss, info.rss - getattr(info, "shared", 0)


@contextmanager
def _watched_requests(figures: dict[str, float]) -> Iterator[None]:
    """Counts the requests of this process, and the time until their answers are here."""
    send, send_once = requests.Session.send, requests.adapters.HTTPAdapter.send

    def timed(session: Any, *args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return send(session, *args, **kwargs)
        finally:
            figures["waiting"] += time.perf_counter() - began

    def counted(adapter: Any, *args: Any, **kwargs: Any) -> Any:
        figures["requests"] += 1
        return send_once(adapter, *args, **kwargs)

    requests.Session.send, requests.adapters.HTTPAdapter.send = timed, counted
    try:
        yield
    finally:
        requests.Session.send, requests.adapters.HTTPAdapter.send = send, send_once


def figure(name: str, our: float, peer: float | None, target: str, *, met: bool) -> dict[str, Any]:
    """One line of a benchmark's result.

    Args:
        name: what was measured, and in what
        our: our figure
        peer: the peer's, measured in the same run, or None if it has none
        target: what ours is to be
        met: whether it is
    """
    return {
        "figure": name,
        "ours": round(our, 2),
        "peer": None if peer is None else round(peer, 2),
        "ratio": round(our / peer, 3) if peer else None,
        "target": target,
        "met": met,
    }


def faster(name: str, our: float, peer: float, times: int = 1) -> dict[str, Any]:
    """A figure in seconds that is to be some times smaller than the peer's."""
    target = f"ratio <= 1/{times}" if times > 1 else "ratio <= 1"
    return figure(f"{name}, seconds", our, peer, target, met=times * our <= peer)


def at_most(
    name: str, our: float, peer: float | None, most: float, why: str = ""
) -> dict[str, Any]:
    """A figure that is not to be larger than a number."""
    target = f"<= {why} = {most:.0f}" if why else f"<= {most:g}"
    return figure(name, our, peer, target, met=our <= most)
