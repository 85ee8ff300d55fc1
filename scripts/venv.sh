#!/bin/sh
# venv.sh DIRECTORY PYTHON REQUIREMENTS...: creates or updates a virtual environment; does nothing if the requirements are unchanged.
set -eu
directory=$1 python=$2
shift 2

stamp="$directory/mailops-stamp"
expected=$({ "$python" --version; echo "$python"; cat "$@"; } | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$expected" ] && exit

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian splits these off into a package of their own.
    package="python3.$("$python" -c 'import sys; print(sys.version_info[1])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $package."
        export DEBIAN_FRONTEND=noninteractive
        output=$(apt-get update -qq 2>&1 && apt-get install -qq --no-install-recommends "$package" 2>&1) || {
            echo "$output" >&2
            exit 1
        }
    else
        echo "$python cannot create virtual environments: install $package (as root: apt-get install $package), then run make again." >&2
        exit 1
    fi
fi

echo "Setting up $directory with $("$python" --version), as the requirements files say."
# An environment of another interpreter or path is replaced.
if [ "$("$directory/bin/python" -c 'import sys; print(sys.version, sys.prefix)' 2>/dev/null)" != \
    "$("$python" -c 'import sys; print(sys.version, end=" ")')$(pwd -P)/$directory" ]; then
    rm -rf "$directory"
    "$python" -m venv "$directory"
fi
for file in "$@"; do set -- "$@" -r "$file" && shift; done
"$directory/bin/python" -m pip install --quiet --quiet --disable-pip-version-check "$@"
echo "$expected" >"$stamp"
