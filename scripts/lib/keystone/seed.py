"""Fills the catalogue of Keystone, and makes the project and the user of the tests. May run again and again.

Usage: seed.py KEYSTONE_URL ADMIN_PASSWORD SWIFT_URL
"""

import sys

from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from keystoneclient.v3.client import Client

DOMAIN = "default"
REGION = "RegionOne"
USER, PASSWORD, PROJECT = "tester", "testing", "test"


def one(manager, wanted, **rest):
    """The entity with the wanted properties; made, with the rest of its properties, if there is none."""
    found = manager.list(**wanted)
    return found[0] if found else manager.create(**wanted, **rest)


def main():
    keystone_url, admin_password, swift_url = sys.argv[1:]
    admin = v3.Password(
        keystone_url,
        username="admin",
        password=admin_password,
        project_name="admin",
        user_domain_id=DOMAIN,
        project_domain_id=DOMAIN,
    )
    keystone = Client(session=Session(admin), endpoint_override=keystone_url)

    for kind, name, url in (
        ("identity", "keystone", keystone_url),
        ("object-store", "swift", swift_url),
    ):
        service = one(keystone.services, {"type": kind}, name=name)
        public = {"service": service.id, "interface": "public"}
        endpoint = one(keystone.endpoints, public, region=REGION, url=url)
        # The instance may have moved to another port.
        if endpoint.url != url:
            keystone.endpoints.update(endpoint, url=url)

    project = one(keystone.projects, {"name": PROJECT, "domain": DOMAIN})
    user = one(keystone.users, {"name": USER, "domain": DOMAIN}, password=PASSWORD)
    member = one(keystone.roles, {"name": "member"})
    keystone.roles.grant(member, user=user, project=project)


if __name__ == "__main__":
    main()
