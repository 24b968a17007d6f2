"""Media that the server finds itself, on the share and in the buckets of the stand-in."""

from __future__ import annotations

import pytest

from demo.cvat_server import running_server
from relabel.cvat import CvatClient, CvatConfig, CvatDataRejected, LabelSpec, MediaNotOnServer
from tests.demo.cvat_server.client import png

NAMES = ["b/10.png", "a.png", "b/9.png"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cvat")
    for root in (folder / "share", folder / "buckets" / "photos"):
        for number, name in enumerate(NAMES):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(png(10 + number, 8))
    return folder


@pytest.fixture(scope="module")
def client(folder):
    with (
        running_server(folder) as server,
        CvatClient(CvatConfig(server.url, "lead", server.users["lead"])) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def cloud(client):
    """The id of a registered bucket."""
    body = {
        "provider_type": "AWS_S3_BUCKET",
        "resource": "photos",
        "display_name": "Photos",
        "credentials_type": "ANONYMOUS_ACCESS",
    }
    return client._transport.send_json("POST", "/api/cloudstorages", body)["id"]


@pytest.fixture(params=["share", "cloud"])
def storage_id(request, cloud):
    """None for the share, else the bucket."""
    return cloud if request.param == "cloud" else None


@pytest.fixture
def task(client):
    return client.create_task("by reference", [LabelSpec("cat")])


def test_send__files_are_the_frames_in_our_order(client, task, storage_id, folder):
    client.storages.send(task, NAMES, storage_id=storage_id)
    assert client.wait_until_read([task]) == set()
    client.check_frames(task, NAMES)
    meta = client._transport.get(f"/api/tasks/{task}/data/meta")
    assert meta["storage"] == ("share" if storage_id is None else "cloud_storage")
    assert meta["cloud_storage_id"] == storage_id
    params = {"type": "frame", "number": 0, "quality": "original"}
    frame = client._transport.request("GET", f"/api/tasks/{task}/data", params=params).content
    file = folder / ("share" if storage_id is None else "buckets/photos") / NAMES[0]
    assert frame == file.read_bytes()
    client.delete_task(task)
    assert file.exists(), "the task had no copy of its own"


def test_send__a_file_that_is_not_there_fails_with_its_name(client, task, storage_id):
    client.storages.send(task, [NAMES[0], "b/nowhere.png"], storage_id=storage_id)
    with pytest.raises(CvatDataRejected, match=r"No such file or directory: .*b/nowhere\.png"):
        client.wait_until_read([task])


def test_check_holds__says_what_to_check(client, storage_id):
    for name in NAMES:
        client.storages.check_holds(name, storage_id)
    for name in ("nowhere.png", "no/folder.png", "9.png"):
        with pytest.raises(MediaNotOnServer, match="local folder"):
            client.storages.check_holds(name, storage_id)


def test_check_holds__an_unknown_storage(client, cloud):
    with pytest.raises(MediaNotOnServer, match="id of the storage"):
        client.storages.check_holds(NAMES[0], cloud + 1)


def test_clouds__are_listed_without_credentials(client, cloud):
    (found,) = client.storages.clouds()
    assert (found.id, found.name, found.resource) == (cloud, "Photos", "photos")
    shown = client._transport.get(f"/api/cloudstorages/{cloud}")
    assert not {"key", "secret_key", "session_token", "connection_string"} & shown.keys()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"resource": "nowhere"}, "nowhere not found"),
        ({"resource": "../share"}, "not found"),
        ({"display_name": ""}, "may not be blank"),
        ({"provider_type": "FLOPPY"}, "not a valid choice"),
    ],
)
def test_stand_in__refuses_a_storage_that_cannot_be(client, change, reason):
    body = {
        "provider_type": "AWS_S3_BUCKET",
        "resource": "photos",
        "display_name": "Photos",
        "credentials_type": "ANONYMOUS_ACCESS",
    }
    answer = client._transport._session.post(
        f"{client.server.url}/api/cloudstorages", json=body | change, timeout=10
    )
    assert answer.status_code == 400
    assert reason in answer.text


def test_stand_in__a_path_does_not_leave_the_share(client, task, folder):
    (folder / "secret.png").write_bytes(png())
    client.storages.send(task, ["../secret.png"])
    with pytest.raises(CvatDataRejected, match="Bad file path"):
        client.wait_until_read([task])
