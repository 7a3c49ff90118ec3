"""Makes the rings of a one-node Swift: one device, d1, one replica.

Usage: make_rings.py ETC ACCOUNT_PORT CONTAINER_PORT OBJECT_PORT
"""

import sys

from swift.common.ring import RingBuilder

PART_POWER = 6
REPLICAS = 1
MIN_PART_HOURS = 1


def main():
    etc, *ports = sys.argv[1:]
    for kind, port in zip(("account", "container", "object"), ports, strict=True):
        builder = RingBuilder(PART_POWER, REPLICAS, MIN_PART_HOURS)
        builder.add_dev(
            {
                "region": 1,
                "zone": 1,
                "ip": "127.0.0.1",
                "port": int(port),
                "replication_ip": "127.0.0.1",
                "replication_port": int(port),
                "device": "d1",
                "weight": 1.0,
                "meta": "",
            }
        )
        builder.rebalance()
        builder.get_ring().save(f"{etc}/{kind}.ring.gz")


if __name__ == "__main__":
    main()
