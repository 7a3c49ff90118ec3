# shellcheck shell=bash
# A Keystone with an SQLite database, for tests. Needs common.sh, packages.sh and servers.sh; DIR, PORTs and
# TOKEN_LIFE of swift-up.

KEYSTONE_LIB=$(dirname "${BASH_SOURCE[0]}")
KEYSTONE_ADMIN_PASSWORD='admin'

# From PyPI: Debian's package would set up a Keystone of the whole machine.
keystone_install() {
    require_packages /usr/lib/python3/dist-packages/keystonemiddleware:python3-keystonemiddleware
    local python
    python=$(python_environment keystone "$KEYSTONE_LIB/requirements.txt")
    KEYSTONE_VENV=${python%/venv/bin/python}
}

keystone_url() { echo "http://127.0.0.1:$KEYSTONE_PORT/v3"; }

# keystone_config DIRECTORY: everything that lies in DIR/etc/keystone
keystone_config() {
    cat >"$1/keystone.conf" <<END
[DEFAULT]
log_file = $DIR/log/keystone.log

[database]
connection = sqlite:///$DIR/keystone/keystone.db

[token]
provider = fernet
expiration = $TOKEN_LIFE
allow_expired_window = 0

[fernet_tokens]
key_repository = $DIR/keystone/fernet-keys

[fernet_receipts]
key_repository = $DIR/keystone/fernet-keys

[credential]
key_repository = $DIR/keystone/credential-keys

[identity]
# The cheapest that it knows: these passwords guard nothing.
password_hash_rounds = 4
END
    # Keystone takes the command line of its server for its own, so gunicorn gets none: it finds this
    # file in its working directory.
    cat >"$1/gunicorn.conf.py" <<END
wsgi_app = "keystone.wsgi.api:application"
bind = "127.0.0.1:$KEYSTONE_PORT"
workers = 1
threads = 4
control_socket_disable = True
raw_env = ["OS_KEYSTONE_CONFIG_DIR=$DIR/etc/keystone"]
END
}

# The database and the keys, once for each DIR.
keystone_prepare() {
    local user group
    [ ! -e "$DIR/keystone/prepared" ] || return 0
    user=$(id -un)
    group=$(id -gn)
    rm -f "$DIR/keystone/keystone.db"
    keystone_manage fernet_setup --keystone-user "$user" --keystone-group "$group"
    keystone_manage credential_setup --keystone-user "$user" --keystone-group "$group"
    keystone_manage db_sync
    keystone_manage bootstrap --bootstrap-username admin --bootstrap-project-name admin \
        --bootstrap-password "$KEYSTONE_ADMIN_PASSWORD"
    touch "$DIR/keystone/prepared"
}

keystone_manage() {
    PYTHONWARNINGS=ignore "$KEYSTONE_VENV/venv/bin/keystone-manage" \
        --config-file "$DIR/etc/keystone/keystone.conf" "$@" >>"$DIR/log/keystone-manage.output" 2>&1 ||
        die 1 "keystone-manage $1 failed, see $DIR/log/keystone-manage.output"
}

keystone_start() {
    server_define keystone "$KEYSTONE_PORT" \
        env --chdir="$DIR/etc/keystone" PYTHONWARNINGS=ignore "$KEYSTONE_VENV/venv/bin/gunicorn"
    server_start keystone
}

# The catalogue, and the project and the user that the tests sign in to.
keystone_seed() {
    server_await keystone
    PYTHONWARNINGS=ignore "$KEYSTONE_VENV/venv/bin/python" "$KEYSTONE_LIB/seed.py" "$(keystone_url)" \
        "$KEYSTONE_ADMIN_PASSWORD" "http://127.0.0.1:$KEYSTONE_PROXY_PORT/v1/AUTH_%(project_id)s"
}
