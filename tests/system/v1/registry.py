"""What docker-registry-client reads of a registry, as JSON: registry.py URL"""

import json
import sys

from docker_registry_client import DockerRegistryClient
from docker_registry_client._BaseClient import BaseClient

url = sys.argv[1]
client = DockerRegistryClient(url)
plain = BaseClient(url, api_version=1)
repository = client.repository("acme/webapp")
tags = sorted(repository.tags())
top = plain.get_image_id("acme", "webapp", "latest")
told = {
    "version": client.api_version,
    "ping": plain.check_status(),
    "repositories": sorted(client.repositories()),
    "tags": tags,
    "image": top,
    "ancestry": plain.get_image_ancestry(top),
    "size": plain.get_image_layer(top)["Size"],
    "set_by": repository.data("dev")["docker_version"],
}
repository.tag("python", top)
repository.refresh()
told["after"] = sorted(repository.tags())
repository.untag("python")
plain.delete_repository("library", "base")
print(json.dumps(told))
