# shellcheck shell=bash
# The Apus of the commit before this one, for the tests in which two versions serve one store. Needs common.sh.

# previous_apus TARGET: builds it below the directory TARGET, in which cargo builds everything else too, and prints the path of
# its binary. Only what was committed counts, and nothing is written outside of TARGET. Built once for each commit.
previous_apus() {
    local target commit binary source
    set -e # A command substitution forgets it.
    target=$(mkdir -p "$1" && cd "$1" && pwd)
    commit=$(git rev-parse --verify --quiet 'HEAD~1^{commit}') || commit=$(only_commit)
    binary=$target/previous/$commit/apus source=$target/previous/source
    if [ ! -x "$binary" ]; then
        say "building the version before this one, $commit"
        rm -rf "$target/previous"
        mkdir -p "$source" "${binary%/*}"
        git archive "$commit" | tar -xm -C "$source"
        # Packages of the same name and version at the same place in their workspace are the same to cargo: in one target
        # directory it would take the ones for the others. So these get a version of their own; the dependencies are shared.
        sed -i '0,/^version = "/s/^version = "[^"]*/&-previous/' "$source/Cargo.toml"
        # There are no examples: with them asked for, cargo gives the dependencies the features that they have in tests, and need
        # not build them again. And nothing goes on from this build.
        (cd "$source" && CARGO_TARGET_DIR=$target CARGO_INCREMENTAL=0 \
            cargo build --quiet --workspace --bin apus --examples) >&2
        # The build of the present version puts its own binary in this place.
        cp "$target/debug/apus" "$binary"
        rm -rf "$source"
    fi
    echo "$binary"
}

# Prints the commit that is there, where there is none before it, and says so.
only_commit() {
    local commit
    commit=$(git rev-parse --verify 'HEAD^{commit}') ||
        die "$EXIT_MISSING" 'the tests of a rolling upgrade build an earlier version: they need a git clone of the project'
    say "WARNING: this clone has nothing before $commit: the tests of a rolling upgrade run with that as the earlier version." \
        'After "git fetch --deepen 1" they have a real one.'
    echo "$commit"
}
