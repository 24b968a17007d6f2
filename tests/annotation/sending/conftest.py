from __future__ import annotations

from dataclasses import replace

import pytest

from relabel.cvat import CvatClient, Timeouts
from tests.annotation.sending.faulty_proxy import faulty_proxy


@pytest.fixture
def fault():
    """What the server does wrong; most tests say another."""
    return ""


@pytest.fixture
def spoiled(cvat_config, fault):
    """A proxy before the server, and a client that reaches it so.

    The client is impatient only where it waits for an answer that does not come.
    """
    patience = 2.0 if fault == "time-out" else 20.0
    timeouts = Timeouts(patience, patience, patience, 60)
    with (
        faulty_proxy(cvat_config.url, 0.6 * patience) as proxy,
        CvatClient(replace(cvat_config, url=proxy.url, timeouts=timeouts)) as client,
    ):
        yield proxy, client
