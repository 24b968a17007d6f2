from __future__ import annotations

import pytest

from relabel.cvat import CvatConfig, CvatNotConfigured

PASSWORD = {"FIFTYONE_CVAT_USERNAME": "lead", "FIFTYONE_CVAT_PASSWORD": "x"}


def test_from_mapping__reads_what_is_set():
    config = CvatConfig.from_mapping(
        {
            "FIFTYONE_CVAT_URL": " https://cvat.example.org/ ",
            "FIFTYONE_CVAT_TOKEN": "t",
            "FIFTYONE_CVAT_ORGANIZATION": "team",
            "FIFTYONE_CVAT_VERIFY_TLS": "/etc/ca.pem",
            "FIFTYONE_CVAT_READING_MINUTES": "240",
        }
    )
    assert config.url == "https://cvat.example.org"
    assert (config.token, config.organization, config.verify) == ("t", "team", "/etc/ca.pem")
    assert config.timeouts.processing == 240 * 60


@pytest.mark.parametrize(("text", "verify"), [("false", False), ("0", False), ("TRUE", True)])
def test_from_mapping__tls_is_verified_unless_it_is_said(text, verify):
    settings = {"FIFTYONE_CVAT_URL": "https://c", "FIFTYONE_CVAT_VERIFY_TLS": text, **PASSWORD}
    assert CvatConfig.from_mapping(settings).verify is verify
    del settings["FIFTYONE_CVAT_VERIFY_TLS"]
    assert CvatConfig.from_mapping(settings).verify is True


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({}, "FIFTYONE_CVAT_URL"),
        ({"FIFTYONE_CVAT_URL": "https://c"}, "FIFTYONE_CVAT_TOKEN"),
        ({"FIFTYONE_CVAT_URL": "https://c", "FIFTYONE_CVAT_USERNAME": "u"}, "PASSWORD"),
        ({"FIFTYONE_CVAT_URL": "cvat.example.org", **PASSWORD}, "scheme"),
        ({"FIFTYONE_CVAT_URL": "ftp://cvat.example.org", **PASSWORD}, "scheme"),
        ({"FIFTYONE_CVAT_URL": "https://u:hush@c", **PASSWORD}, "FIFTYONE_CVAT_PASSWORD"),
        (
            {
                "FIFTYONE_CVAT_URL": "https://c",
                "FIFTYONE_CVAT_READING_MINUTES": "long",
                **PASSWORD,
            },
            "a number of minutes",
        ),
    ],
)
def test_from_mapping__says_what_is_missing(settings, advice):
    with pytest.raises(CvatNotConfigured, match=advice) as caught:
        CvatConfig.from_mapping(settings)
    assert "hush" not in str(caught.value)
