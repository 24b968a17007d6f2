"""How the stock exchange talks to a server, by its number in the list of known failures."""

from __future__ import annotations

import logging
import socket
import ssl
import traceback
from dataclasses import replace

import pytest
import trustme
from urllib3.exceptions import InsecureRequestWarning

from relabel.annotation import make_plan, push, rounds_status
from relabel.cvat import (
    CvatClient,
    CvatConfig,
    CvatServerError,
    CvatTlsError,
    CvatUnreachable,
    Shape,
    Timeouts,
)
from tests.annotation.sending.faulty_proxy import faulty_proxy
from tests.annotation.sending.small_push import remove, request_of, unique
from tests.cvat.conftest import Answer, config, script, serve

__all__ = ["config", "script", "serve"]


def test_failure_21__a_server_that_never_answers(config):
    """Stock waits for ever: it sets no time-out and catches everything."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = config(f"http://127.0.0.1:{silent.getsockname()[1]}")
        hasty = replace(settings, timeouts=Timeouts(0.2, 0.2, 0.2, 1))
        with pytest.raises(CvatUnreachable, match="did not answer in time"):
            CvatClient(hasty)


def test_failure_21__a_server_that_stumbles_once(script, config):
    """Stock gives up at once, and in a status takes the failure for an answer."""
    stumble = Answer(502, raw=b"<html>Bad Gateway</html>", headers={"Content-Type": "text/html"})
    script.on("GET", "/api/jobs", stumble, Answer(200, {"results": [], "next": None}))
    with CvatClient(config(script.url)) as client:
        assert client.jobs([1]) == []
    assert script.seen("GET", "/api/jobs") == 2


def test_failure_24__certificates_are_verified_unless_the_user_says_otherwise(
    serve, config, monkeypatch, tmp_path
):
    """Stock turns the check off for every request, and nothing turns it on."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = serve(context)
    settings = {"FIFTYONE_CVAT_URL": server.url, "FIFTYONE_CVAT_TOKEN": "t"}
    with pytest.raises(CvatTlsError):
        CvatClient(CvatConfig.from_mapping(settings))
    assert server.requests == [], "not even the token was sent"
    # A bundle in the environment that does not know the server must not undo what the user says.
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    off = settings | {"FIFTYONE_CVAT_VERIFY_TLS": "false"}
    with pytest.warns(InsecureRequestWarning), CvatClient(CvatConfig.from_mapping(off)) as client:
        assert client.user.username == "lead"


def test_failure_26__what_was_sent_is_in_no_message_and_no_log(script, config, caplog):
    """Stock writes all arguments of a request that failed into the log."""
    caplog.set_level(logging.DEBUG)
    failure = Answer(500, raw=b"<html>oops</html>", headers={"Content-Type": "text/html"})
    script.on("PUT", "/api/tasks/7/annotations", failure)
    shape = Shape("rectangle", 0, 1, (123.25, 2.0, 3.0, 4.0), attributes={1: "patient Doe"})
    with CvatClient(config(script.url)) as client, pytest.raises(CvatServerError) as caught:
        client.put_task_shapes(7, [shape])
    assert b"patient Doe" in script.requests[-1][3]
    said = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "annotations: 500" in said, "the log has the address and the answer"
    for private in ("patient Doe", "123.25", "s3cret", "t0ken"):
        assert private not in said


@pytest.mark.cvat
def test_failure_28__the_status_of_a_server_that_is_gone_is_an_error(dataset, cvat_config):
    """Stock reports an empty status, as if nothing had been sent."""
    key = unique("gone")
    with CvatClient(cvat_config) as straight:
        with faulty_proxy(cvat_config.url, 1.0) as proxy:
            client = CvatClient(replace(cvat_config, url=proxy.url))
            push(dataset, make_plan(dataset, request_of(dataset, key, ())), client)
            (status,) = rounds_status(dataset, client)
            assert status.images == 6
            client.close()
        with pytest.raises(CvatUnreachable, match="cannot be reached"):
            rounds_status(dataset, client)
        remove(dataset, straight, key)
