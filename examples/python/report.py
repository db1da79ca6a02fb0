"""Fetches the lines of a report from an API, with requests.

CLIENT=get: requests.get() for each line. CLIENT=session: one Session.
SOURCE: the address to connect from; a Session with it binds before it connects.
"""

import collections
import os
import sys

import requests
from requests.adapters import HTTPAdapter

API = os.environ.get("API", "http://api.example/lines")
LINES = int(os.environ.get("LINES_WANTED", "150"))
SOURCE = os.environ.get("SOURCE")
CLIENT = os.environ.get("CLIENT", "get")


class FromAddress(HTTPAdapter):
    def init_poolmanager(self, *args, **kwargs):
        kwargs["source_address"] = (SOURCE, 0)
        super().init_poolmanager(*args, **kwargs)


def new_session():
    session = requests.Session()
    if SOURCE:
        session.mount("http://", FromAddress())
    return session


shared = new_session()
failures = collections.Counter()
for line in range(LINES):
    try:
        if CLIENT == "session":
            shared.get(f"{API}/{line}")
        else:
            # As requests.get() does: a session for one request.
            with new_session() as session:
                session.get(f"{API}/{line}")
    except requests.ConnectionError as error:
        cause = str(error)
        failures["Address already in use" if "Errno 98" in cause else "Cannot assign requested address"] += 1
print(f"{LINES} lines, failures: {dict(failures)}")
sys.exit(1 if failures else 0)
