"""Signs in, writes an object, reads it back and removes it, until that works or a minute is over.

Usage: round_trip.py
The environment names the Swift as the swift command does: OS_AUTH_URL and its companions, else ST_AUTH,
ST_USER and ST_KEY.
"""

import json
import os
import sys
import time
import urllib.request
from http.client import HTTPException

PATIENCE_SECONDS = 60


def request(method, url, headers=None, body=None):
    wanted = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    with urllib.request.urlopen(wanted, timeout=30) as answer:
        return answer.headers, answer.read()


def sign_in_v1(env):
    headers, _ = request(
        "GET", env["ST_AUTH"], {"X-Auth-User": env["ST_USER"], "X-Auth-Key": env["ST_KEY"]}
    )
    return headers["X-Storage-Url"], headers["X-Auth-Token"]


def sign_in_v3(env):
    user = {
        "name": env["OS_USERNAME"],
        "password": env["OS_PASSWORD"],
        "domain": {"name": env["OS_USER_DOMAIN_NAME"]},
    }
    project = {
        "name": env["OS_PROJECT_NAME"],
        "domain": {"name": env["OS_PROJECT_DOMAIN_NAME"]},
    }
    auth = {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": project},
    }
    headers, body = request(
        "POST",
        env["OS_AUTH_URL"] + "/auth/tokens",
        {"Content-Type": "application/json"},
        json.dumps({"auth": auth}).encode(),
    )
    for service in json.loads(body)["token"]["catalog"]:
        if service["type"] == "object-store":
            for endpoint in service["endpoints"]:
                if endpoint["interface"] == "public" and endpoint["region"] == env["OS_REGION_NAME"]:
                    return endpoint["url"], headers["X-Subject-Token"]
    raise ValueError("the catalogue of Keystone has no object-store")


def round_trip(sign_in):
    storage_url, token = sign_in(os.environ)
    headers = {"X-Auth-Token": token}
    container = storage_url + "/.swift-up"
    content = os.urandom(100)
    request("PUT", container, headers, b"")
    request("PUT", container + "/object", headers, content)
    if request("GET", container + "/object", headers)[1] != content:
        raise ValueError("the object has another content than was written")
    request("DELETE", container + "/object", headers)
    request("DELETE", container, headers)


def main():
    sign_in = sign_in_v3 if "OS_AUTH_URL" in os.environ else sign_in_v1
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return round_trip(sign_in)
        except (OSError, HTTPException) as error:
            if time.monotonic() > end:
                sys.exit(f"no round trip: {error!r} {getattr(error, 'url', '')}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
