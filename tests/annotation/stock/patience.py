"""Stock FiftyOne logs in for each call, and gives up where a server limits how often one may."""

import time

import fiftyone.utils.cvat as fouc
import requests

TOO_MANY = 429


def wait_for_log_ins():
    """Makes stock wait as long as the server says, from now on in this process."""
    plain = fouc.CVATAnnotationAPI._login

    def patient(self, *credentials, **more):
        while True:
            try:
                return plain(self, *credentials, **more)
            except requests.HTTPError as error:
                if error.response.status_code != TOO_MANY:
                    raise
                time.sleep(int(error.response.headers["Retry-After"]))

    fouc.CVATAnnotationAPI._login = patient
