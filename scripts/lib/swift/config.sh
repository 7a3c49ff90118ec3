# shellcheck shell=bash
# Writes the configuration of a one-node Swift. Needs the options of swift-up as variables, and DIR.

# swift_config ETC: everything that lies in DIR/etc/swift.
swift_config() {
    swift_conf >"$1/swift.conf"
    storage_conf account "$ACCOUNT_PORT" 1 >"$1/account-server.conf"
    storage_conf container "$CONTAINER_PORT" 1 >"$1/container-server.conf"
    storage_conf object "$OBJECT_PORT" "$WORKERS" >"$1/object-server.conf"
    proxy_conf "$PORT" tempauth >"$1/proxy-server.conf"
    if [ "$KEYSTONE" = 1 ]; then
        # A proxy of its own: in one pipeline, each token of the one would be asked of the other.
        proxy_conf "$KEYSTONE_PROXY_PORT" authtoken keystoneauth >"$1/proxy-keystone.conf"
    fi
    if [ "$DAEMONS" = 1 ]; then
        expirer_conf >"$1/object-expirer.conf"
    fi
}

swift_conf() {
    cat <<END
[swift-hash]
swift_hash_path_prefix = apus
swift_hash_path_suffix = apus

[storage-policy:0]
name = Policy-0
default = yes

[swift-constraints]
max_file_size = $MAX_FILE_SIZE
container_listing_limit = $LISTING_LIMIT
account_listing_limit = $LISTING_LIMIT
END
}

common_conf() {
    cat <<END
[DEFAULT]
bind_ip = 127.0.0.1
user = $(id -un)
swift_dir = $DIR/etc/swift
devices = $DIR/devices
mount_check = false
fallocate_reserve = 0
recon_cache_path = $DIR/recon
END
}

# storage_conf KIND PORT WORKERS
storage_conf() {
    common_conf
    cat <<END
bind_port = $2
workers = $3

[pipeline:main]
pipeline = healthcheck $1-server

[app:$1-server]
use = egg:swift#$1

[filter:healthcheck]
use = egg:swift#healthcheck

[$1-replicator]

[$1-updater]
interval = 5

[account-reaper]
interval = 5
END
}

# proxy_conf PORT AUTH-FILTER...
# The pipeline of Swift's sample configuration, less what a single node has no use for. Fault injection
# would stand first in it.
proxy_conf() {
    local port=$1
    shift
    common_conf
    cat <<END
bind_port = $port
workers = $WORKERS

[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging cache listing_formats bulk tempurl $* copy container-quotas account-quotas slo dlo versioned_writes symlink proxy-logging proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# A busy test machine may well take longer than the usual ten seconds to write.
node_timeout = 20
# Usually a node is left alone for a minute after ten errors: with one node, that is an outage.
error_suppression_limit = 1000000

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:gatekeeper]
use = egg:swift#gatekeeper

[filter:healthcheck]
use = egg:swift#healthcheck

# launch.py makes a file of its own out of this facility.
[filter:proxy-logging]
use = egg:swift#proxy_logging
access_log_facility = LOG_LOCAL1

[filter:listing_formats]
use = egg:swift#listing_formats

[filter:bulk]
use = egg:swift#bulk

[filter:tempurl]
use = egg:swift#tempurl

[filter:copy]
use = egg:swift#copy

[filter:container-quotas]
use = egg:swift#container_quotas

[filter:account-quotas]
use = egg:swift#account_quotas

[filter:slo]
use = egg:swift#slo
max_manifest_segments = $MAX_SEGMENTS

[filter:dlo]
use = egg:swift#dlo

[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true

[filter:symlink]
use = egg:swift#symlink

END
    cache_conf
    case $1 in
    tempauth) tempauth_conf ;;
    authtoken) keystoneauth_conf ;;
    esac
}

cache_conf() {
    cat <<END
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$MEMCACHED_PORT
# As with the nodes: usually it is left alone for a minute after ten errors, and nobody can sign in meanwhile.
error_suppression_interval = 0
# Usually two: hundreds of requests at once wait for one of them, and who waits for too long is not known by his token (401).
memcache_max_connections = 50
connect_timeout = 20
pool_timeout = 60
io_timeout = 20

END
}

tempauth_conf() {
    cat <<END
[filter:tempauth]
use = egg:swift#tempauth
token_life = $TOKEN_LIFE
user_test_tester = testing .admin
END
}

keystoneauth_conf() {
    cat <<END
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = http://127.0.0.1:$KEYSTONE_PORT/v3
auth_url = http://127.0.0.1:$KEYSTONE_PORT/v3
auth_type = password
interface = public
username = admin
password = $KEYSTONE_ADMIN_PASSWORD
project_name = admin
user_domain_id = default
project_domain_id = default
cache = swift.cache
token_cache_time = 60
include_service_catalog = False
# Let anonymous requests reach Swift, which knows about public containers and temporary URLs.
delay_auth_decision = True

[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
END
}

expirer_conf() {
    common_conf
    cat <<END

[object-expirer]
interval = 5

[pipeline:main]
pipeline = catch_errors cache proxy-server

[app:proxy-server]
use = egg:swift#proxy

[filter:catch_errors]
use = egg:swift#catch_errors

END
    cache_conf
}
