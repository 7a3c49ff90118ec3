"""Commands of oras, on top of its Python package, over plain HTTP:

    artifacts.py push NAME TYPE FILE...             push files as an artifact; print its digest
    artifacts.py attach NAME SUBJECT TYPE FILE...   the same, attached to the artifact SUBJECT
    artifacts.py discover NAME [TYPE]               print the descriptors of what is attached to NAME, a digest, as JSON
    artifacts.py pull NAME DIRECTORY                pull the files of an artifact

With `--authority FILE` in front, over HTTPS, by a certificate of that authority.

The package wants a subject as a descriptor, and has no command to discover: for these, requests of our own go out through
the package's session.
"""

import json
import os
import sys
from urllib.parse import urlencode, urljoin

from oras.client import OrasClient
from oras.container import Container
from oras.defaults import default_index_media_type, default_manifest_media_type
from oras.oci import Subject

command, *arguments = sys.argv[1:]
by_https = command == "--authority"
if by_https:
    os.environ["REQUESTS_CA_BUNDLE"], command, *arguments = arguments
client = OrasClient(insecure=not by_https)


def push(name, artifact_type, *files, subject=None):
    # The type of an artifact that names none is that of its configuration, which is empty here.
    config = f"/dev/null:{artifact_type}"
    answer = client.push(name, files=list(files), manifest_config=config, subject=subject, quiet=True)
    print(answer.headers["Docker-Content-Digest"])


def attach(name, subject, artifact_type, *files):
    answer = get(f"http://{Container(subject).manifest_url()}", default_manifest_media_type)
    digest = answer.headers["Docker-Content-Digest"]
    push(name, artifact_type, *files, subject=Subject(default_manifest_media_type, digest, len(answer.content)))


def discover(name, *artifact_type):
    subject = Container(name)
    query = urlencode([("artifactType", wanted) for wanted in artifact_type])
    url = f"http://{subject.registry}/v2/{subject.api_prefix}/referrers/{subject.digest}?{query}"
    found = []
    while url:
        answer = get(url, default_index_media_type)
        found += answer.json()["manifests"]
        following = answer.links.get("next")
        url = following and urljoin(url, following["url"])
    print(json.dumps(found))


def pull(name, directory):
    client.pull(name, outdir=directory)


def get(url, accepted):
    answer = client.do_request(url, headers={"Accept": accepted})
    answer.raise_for_status()
    return answer


{"push": push, "attach": attach, "discover": discover, "pull": pull}[command](*arguments)
