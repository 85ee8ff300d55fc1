#!/bin/sh
# Prints the path of an interpreter: `machine` is python3, or the oldest one that is new enough where python3 is not;
# `newest` is the newest that ansible-core 2.21 supports, and nothing where that is no newer than the machine's.
set -eu
oldest=11
newest=14

minor() { "$1" -c 'import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else 0)' 2>/dev/null || echo 0; }

# The real file: a pyenv shim answers by directory, and the virtual environment must outlive that.
real() { "$1" -c 'import os, sys; print(os.path.join(sys.base_prefix, "bin", "python3.%d" % sys.version_info[1]))'; }

candidates() { # of Python 3.$1
    for found in "$(command -v "python3.$1" || true)" "$HOME/.pyenv/versions/3.$1".*/bin/python3; do
        [ -x "$found" ] && [ "$(minor "$found")" = "$1" ] && echo "$found"
    done
}

machine() {
    if [ "$(minor python3)" -ge $oldest ]; then
        real python3
        return
    fi
    for number in $(seq $oldest $newest); do
        for found in $(candidates "$number"); do
            real "$found"
            return
        done
    done
    echo "Python 3.$oldest or newer is needed; python3 here is $(python3 --version 2>/dev/null || echo missing)." >&2
    return 1
}

case "${1:-machine}" in
machine) machine ;;
newest)
    floor=$(minor "$(machine)")
    for number in $(seq $newest -1 $((floor + 1))); do
        for found in $(candidates "$number"); do
            real "$found"
            exit
        done
    done
    ;;
esac
