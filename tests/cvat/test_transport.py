"""Log-in, retries and errors, against a server that answers as it is told."""

from __future__ import annotations

import logging
import ssl
import traceback

import pytest
import trustme
from urllib3 import HTTPResponse

from relabel.cvat import (
    CvatClient,
    CvatForbidden,
    CvatNotFound,
    CvatRejected,
    CvatServerError,
    CvatThrottled,
    CvatTlsError,
    CvatTooLarge,
    CvatUnauthorized,
    CvatUnreachable,
    NotACvatServer,
)
from relabel.cvat.transport import _RETRY, Transport, error_of
from tests.cvat.conftest import Answer

HTML = {"Content-Type": "text/html"}


def header(request, name):
    return {key.lower(): value for key, value in request[2].items()}.get(name.lower())


def test_client__logs_in_once_and_sends_the_token(script, config):
    script.on("GET", "/api/jobs", Answer(200, {"results": [], "next": None}))
    with CvatClient(config(script.url)) as client:
        client.jobs([1])
        client.jobs([2])
    assert script.seen("POST", "/api/auth/login") == 1
    assert header(script.requests[-1], "Authorization") == "Token t0ken"
    assert header(script.requests[0], "Authorization") is None


def test_client__a_personal_access_token_needs_no_log_in(script, config):
    with CvatClient(config(script.url, token="pat", password=None)):
        pass
    assert script.seen("POST", "/api/auth/login") == 0
    assert header(script.requests[-1], "Authorization") == "Bearer pat"


def test_client__names_the_organization(script, config):
    with CvatClient(config(script.url, organization="team")):
        pass
    assert header(script.requests[-1], "X-Organization") == "team"


def test_client__a_netrc_file_is_not_used(script, config, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login eve password x\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with CvatClient(config(script.url)):
        pass
    assert all("Basic" not in (header(r, "Authorization") or "") for r in script.requests)


def test_client__logs_in_again_when_its_token_was_revoked(script, config):
    with CvatClient(config(script.url)) as client:
        refused, jobs = Answer(401, {"detail": "Invalid token."}), {"results": [], "next": None}
        script.on("GET", "/api/jobs", refused, Answer(200, jobs))
        assert client.jobs([1]) == []
    assert script.seen("POST", "/api/auth/login") == 2


def test_log_in__a_wrong_password(script, config):
    refusal = {"non_field_errors": ["Unable to log in with provided credentials."]}
    script.on("POST", "/api/auth/login", Answer(400, refusal))
    with pytest.raises(CvatUnauthorized, match="FIFTYONE_CVAT_PASSWORD"):
        CvatClient(config(script.url))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, {"detail": "Not found."}),
        Answer(200, raw=b"<html>A wiki</html>", headers=HTML),
        Answer(200, {"hello": "world"}),
        Answer(403, raw=b"no", headers=HTML),
    ],
)
def test_about__something_else_answers(script, config, answer):
    script.on("GET", "/api/server/about", answer)
    with pytest.raises(NotACvatServer, match="FIFTYONE_CVAT_URL"):
        CvatClient(config(script.url))


def test_about__a_redirect_to_another_server_is_not_followed_blindly(serve, config):
    script, other = serve(), serve()
    location = {"Location": f"{other.url}/api/server/about"}
    script.on("GET", "/api/server/about", Answer(302, raw=b"", headers=location))
    with pytest.raises(NotACvatServer, match=other.url):
        CvatClient(config(script.url))
    assert other.seen("POST", "/api/auth/login") == 0


def test_connect__nobody_listens(config, unused_port):
    with pytest.raises(CvatUnreachable, match="FIFTYONE_CVAT_URL"):
        CvatClient(config(f"http://127.0.0.1:{unused_port}"))


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_connect__tls_is_verified(serve, config, tmp_path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    script = serve(context)
    with pytest.raises(CvatTlsError, match="FIFTYONE_CVAT_VERIFY_TLS"):
        CvatClient(config(script.url))
    assert script.requests == [], "nothing was sent to a server that could not be verified"
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with CvatClient(config(script.url, verify=str(bundle))) as client:
        assert client.user.username == "lead"


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_get__is_retried(script, config, status):
    fail = Answer(status, {"detail": "later"}, headers={"Retry-After": "0"})
    script.on("GET", "/api/jobs", fail, fail, Answer(200, {"results": [], "next": None}))
    with CvatClient(config(script.url)) as client:
        assert client.jobs([1]) == []
    assert script.seen("GET", "/api/jobs") == 3


def test_post__is_not_retried_when_it_may_have_been_done(script, config):
    script.on("POST", "/api/tasks", Answer(502, raw=b"bad gateway", headers=HTML))
    with CvatClient(config(script.url)) as client, pytest.raises(CvatServerError):
        client.create_task("t", [])
    assert script.seen("POST", "/api/tasks") == 1


def test_post__is_retried_when_it_was_refused_for_its_rate(script, config):
    slow_down = Answer(429, {"detail": "throttled"}, headers={"Retry-After": "0"})
    script.on("POST", "/api/tasks", slow_down, Answer(201, {"id": 7}))
    with CvatClient(config(script.url)) as client:
        assert client.create_task("t", []) == 7


def test_request__a_proxy_answers_in_place_of_cvat(script, config):
    page = Answer(200, raw=b"<html>Please log in</html>", headers=HTML)
    with CvatClient(config(script.url)) as client:
        script.on("DELETE", "/api/tasks/7", page)
        with pytest.raises(CvatServerError, match="DELETE /api/tasks/7 with a web page"):
            client.delete_task(7)
        script.on("GET", "/api/jobs", page)
        with pytest.raises(CvatServerError, match="proxy"):
            client.jobs([1])


def test_request__a_redirected_post_is_no_get(script, config):
    location = {"Location": f"{script.url}/api/other"}
    script.on("POST", "/api/tasks", Answer(301, raw=b"", headers=location))
    script.on("GET", "/api/other", Answer(200, {"id": 7}))
    with CvatClient(config(script.url)) as client, pytest.raises(CvatServerError, match="/other"):
        client.create_task("t", [])
    assert script.seen("GET", "/api/other") == 0


def test_get__a_body_that_is_cut_off(script, config):
    cut = Answer(200, raw=b'{"results": [', headers={"Content-Length": "500"})
    script.on("GET", "/api/jobs", cut)
    with CvatClient(config(script.url)) as client, pytest.raises(CvatUnreachable):
        client.jobs([1])


class Response:
    """As much of an answer as an error is made of."""

    def __init__(self, status, body, content_type="application/vnd.cvat+json"):
        import requests

        self._real = requests.Response()
        self._real.status_code = status
        self._real.headers["Content-Type"] = content_type
        self._real._content = body.encode()
        self._real.reason = "Reason"

    def real(self):
        return self._real


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (400, '{"detail": "in detail"}', CvatRejected, "in detail"),
        (400, '{"name": ["This field is required."]}', CvatRejected, "name: This field"),
        (400, '{"shapes": [{"type": ["is required"]}]}', CvatRejected, "type: is required"),
        (400, '["in a list"]', CvatRejected, "in a list"),
        (400, '"as a text"', CvatRejected, "as a text"),
        (400, "as plain text", CvatRejected, "as plain text"),
        (401, '{"detail": "Invalid token."}', CvatUnauthorized, "FIFTYONE_CVAT_TOKEN"),
        (403, '{"detail": "no"}', CvatForbidden, "no"),
        (404, '{"detail": "Not found."}', CvatNotFound, "Not found"),
        (413, "", CvatTooLarge, "client_max_body_size"),
        (429, "", CvatThrottled, "slow down"),
        (500, "<html>long</html>", CvatServerError, "500"),
    ],
)
def test_error_of__every_shape_of_body(status, body, kind, text):
    content_type = "text/html" if body.startswith("<") else "application/vnd.cvat+json"
    error = error_of(Response(status, body, content_type).real(), "http://cvat")
    assert type(error) is kind
    assert text in str(error)
    assert "<html>" not in str(error)


def test_pages__are_followed_to_the_end(script, config):
    page = {"results": [{"id": 1}], "next": "http://elsewhere/api/labels?page=2"}
    last = {"results": [{"id": 2}], "next": None}
    script.on("GET", "/api/labels", Answer(200, page), Answer(200, last))
    transport = Transport(config(script.url))
    assert [item["id"] for item in transport.pages("/api/labels")] == [1, 2]


def test_pages__a_list_that_became_shorter_meanwhile(script, config):
    page = {"results": [{"id": 1}], "next": "http://elsewhere/api/labels?page=2"}
    gone = Answer(404, {"detail": "Invalid page."})
    script.on("GET", "/api/labels", Answer(200, page), gone)
    transport = Transport(config(script.url))
    assert [item["id"] for item in transport.pages("/api/labels")] == [1]
    with pytest.raises(CvatNotFound):
        list(transport.pages("/api/labels"))


def test_retry__waits_no_longer_than_people_would():
    asked = [{"Retry-After": text} for text in ("2", "86400", "Fri, 31 Dec 9999 23:59:59 GMT")]
    waits = [_RETRY.get_retry_after(HTTPResponse(headers=headers)) for headers in (*asked, {})]
    assert waits == [2, 60, 60, None]


def test_secrets__are_in_no_error_and_no_log(script, config, caplog):
    caplog.set_level(logging.DEBUG)
    settings = config(script.url, token="t-secret-token", password="s3cret")
    assert "s3cret" not in repr(settings)
    assert "t-secret-token" not in repr(settings)
    script.on("GET", "/api/users/self", Answer(500, raw=b"boom", headers=HTML))
    for broken in (settings, config(script.url)):
        with pytest.raises(CvatServerError) as caught:
            CvatClient(broken)
        text = "".join(traceback.format_exception(caught.value)) + caplog.text
        assert "s3cret" not in text
        assert "t-secret-token" not in text
        assert "t0ken" not in text
