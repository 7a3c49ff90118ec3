# shellcheck shell=bash
# Background servers of one instance. Needs common.sh, and RUN: the directory with, for each server,
#   NAME.command   its command line, NUL-separated
#   NAME.port      the TCP port it listens on, or nothing
#   NAME.output    what it printed
#   NAME.pid       its process id, also that of its process group, while it has been started
# A server is ours only if its environment names its pid file: process ids are used again.

# server_define NAME PORT COMMAND... ; PORT may be empty
server_define() {
    local name=$1 port=$2
    shift 2
    printf '%s' "$port" >"$RUN/$name.port"
    printf '%s\0' "$@" >"$RUN/$name.command"
}

server_names() {
    local file
    for file in "$RUN"/*.command; do
        [ ! -e "$file" ] || basename "$file" .command
    done
}

server_defined() { [ -e "$RUN/$1.command" ]; }

# Prints the process id of a server that runs; fails when it does not.
server_pid() {
    local pid
    pid=$(cat "$RUN/$1.pid" 2>/dev/null) || return 1
    grep -qzxF "APUS_SERVER=$RUN/$1.pid" "/proc/$pid/environ" 2>/dev/null || return 1
    echo "$pid"
}

# Starts a server unless it runs. A port in use is said at once: a server might wait for it, and
# whoever holds it would answer in its place.
server_start() {
    local name=$1 port command
    ! server_pid "$name" >/dev/null || return 0
    port=$(cat "$RUN/$name.port")
    [ -z "$port" ] || ! port_answers "$port" || die 1 "$name: port $port is in use"
    mapfile -d '' -t command <"$RUN/$name.command"
    APUS_SERVER=$RUN/$name.pid setsid "${command[@]}" >>"$RUN/$name.output" 2>&1 </dev/null &
    echo $! >"$RUN/$name.pid"
    # Until the new process has become COMMAND it is not known as ours.
    while kill -0 $! 2>/dev/null && ! server_pid "$name" >/dev/null; do sleep 0.01; done
}

# Waits until a server listens; says why when it ends or is silent for a minute.
server_await() {
    local name=$1 port tries=600
    port=$(cat "$RUN/$name.port")
    while server_pid "$name" >/dev/null; do
        [ -n "$port" ] || return 0
        ! port_answers "$port" || return 0
        tries=$((tries - 1))
        [ $tries -gt 0 ] || die 1 "$name does not listen on port $port, see $RUN/$name.output"
        sleep 0.1
    done
    tail -n 5 "$RUN/$name.output" >&2
    die 1 "$name ended, see $RUN/$name.output"
}

# Signals the whole group, and waits for all of it: five seconds, then SIGKILL.
server_stop() {
    local name=$1 pid
    if pid=$(server_pid "$name"); then
        kill -TERM -- "-$pid" 2>/dev/null || true
        kill -CONT -- "-$pid" 2>/dev/null || true
        group_ends "$pid" 50 || kill -KILL -- "-$pid" 2>/dev/null || true
        group_ends "$pid" 50 || die 1 "$name (process group $pid) does not end"
    fi
    rm -f "$RUN/$name.pid"
}

servers_stop() {
    local name pid waiting=()
    for name in $(server_names); do
        server_stop "$name" &
        waiting+=($!)
    done
    for pid in "${waiting[@]}"; do wait "$pid"; done
}

# server_signal NAME SIGNAL
server_signal() {
    local pid
    pid=$(server_pid "$1") || die 1 "$1 does not run"
    kill "-$2" -- "-$pid"
}

# running, paused or stopped
server_state() {
    local pid
    pid=$(server_pid "$1") || { echo stopped; return; }
    case $(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$pid/status" 2>/dev/null) in
    T) echo paused ;;
    Z | '') echo stopped ;;
    *) echo running ;;
    esac
}

port_answers() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# group_ends PID TENTHS
group_ends() {
    local tries=$2
    while group_runs "$1"; do
        [ "$tries" -gt 0 ] || return 1
        tries=$((tries - 1))
        sleep 0.1
    done
}

# Whether a process group has a process that is more than a zombie: not every machine reaps those at once.
# Of /proc/PID/stat, what follows the command in brackets: state, parent, group.
group_runs() {
    { cat /proc/[0-9]*/stat 2>/dev/null || true; } | sed 's/.*) //' |
        awk -v group="$1" '$3 == group && $1 != "Z" { found = 1 } END { exit !found }'
}

# free_ports COUNT: prints the first of COUNT ports on end that nobody listens on. Below the ports that the
# kernel deals out by itself.
free_ports() {
    local first port
    while true; do
        first=$((10000 + RANDOM % 2000 * 10))
        for ((port = first; port < first + $1; port++)); do
            ! port_answers "$port" || continue 2
        done
        echo "$first"
        return
    done
}
