# shellcheck shell=bash
# What every script here needs: messages, usage, exit statuses, a place for caches.

# shellcheck disable=SC2034 # each program uses some of these
readonly EXIT_USAGE=2   # the command line makes no sense
# shellcheck disable=SC2034
readonly EXIT_MISSING=3 # something is missing, and it may not be installed

# Progress and errors go to standard error: standard output is for results.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# die STATUS MESSAGE...
die() {
    local status=$1
    shift
    say "$*"
    exit "$status"
}

# A script's usage text is the comment at its top.
usage() { sed -n '2,/^[^#]/s/^#\( \|$\)//p' "$0"; }

# What costs a download is kept here between runs. Root's cache serves every user of the machine.
cache_dir() {
    if [ "$(id -u)" = 0 ]; then
        echo /var/cache/apus-test
    else
        echo "${XDG_CACHE_HOME:-${HOME-}/.cache}/apus-test"
    fi
}
