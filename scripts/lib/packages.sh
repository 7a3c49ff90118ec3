# shellcheck shell=bash
# Packages of Debian and of PyPI: find out what is missing, and install it when we may. Needs common.sh.

INSTALL=1 # 0: never install, only say what is missing

# require_packages PROBE:PACKAGE...
# Installs each package whose PROBE (a command, or a file's absolute path, wildcards allowed) is not there.
require_packages() {
    local wanted missing=()
    for wanted in "$@"; do
        present "${wanted%%:*}" || missing+=("${wanted##*:}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    may_install || die "$EXIT_MISSING" "missing: ${missing[*]}; as root, run: apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    without_services apt_install "${missing[@]}"
}

present() {
    case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

may_install() { [ "$INSTALL" = 1 ] && [ "$(id -u)" = 0 ]; }

apt_install() { apt_retry install --yes --no-install-recommends "$@" >/dev/null; }

# apt_retry ARGUMENTS...
# Package lists that are absent or out of date make apt-get fail; so does another apt-get at work.
# Both pass after an update and a little patience.
apt_retry() {
    local log tries=3
    log=$(mktemp)
    until apt_get "$@" 2>>"$log"; do
        tries=$((tries - 1))
        if [ $tries = 0 ]; then
            tail -n 5 "$log" >&2
            die "$EXIT_MISSING" "apt-get $* failed, see $log"
        fi
        ! may_install || apt_get update >>"$log" 2>&1 || true
        sleep 2
    done
    rm -f "$log"
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Debian's packages start their services when they are installed, unless this file forbids it.
# One installation at a time, so that none removes the file under another.
without_services() (
    policy=/usr/sbin/policy-rc.d
    exec 9>/run/lock/apus-test-apt
    flock 9
    if [ ! -e $policy ]; then
        trap 'rm -f $policy' EXIT
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
    fi
    "$@"
)

# python_environment NAME REQUIREMENTS
# Prints the Python of a virtual environment in the cache, which has the packages of a requirements file, and no others;
# makes it first where it is not there. The file must name every package, with its version.
python_environment() {
    local name=$1 requirements=$2 place
    # A user may well run what root has installed.
    for place in "$(cache_dir)/$name" "/var/cache/apus-test/$name"; do
        if installed_from "$requirements" "$place"; then
            echo "$place/venv/bin/python"
            return
        fi
    done
    place=$(cache_dir)/$name
    [ "$INSTALL" = 1 ] || die "$EXIT_MISSING" "missing: $name in $place (from PyPI)"
    require_packages '/usr/lib/python3*/ensurepip/__init__.py:python3-venv'
    mkdir -p "$place" || die "$EXIT_MISSING" "missing: $name, and $place cannot be made"
    (
        flock 9
        ! installed_from "$requirements" "$place" || exit 0
        say "installing $name in $place"
        /usr/bin/python3 -m venv --clear "$place/venv" &&
            "$place/venv/bin/pip" install -q --no-deps -r "$requirements" >&2 &&
            cp "$requirements" "$place/installed.txt"
    ) 9>"$place/lock" || die "$EXIT_MISSING" "$name could not be installed in $place"
    echo "$place/venv/bin/python"
}

# installed.txt is written last, and tells a finished installation of these very versions.
installed_from() { cmp -s "$1" "$2/installed.txt"; }
