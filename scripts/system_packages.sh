#!/bin/sh
# What some tests use: mail clients and shellcheck. Installed as root on Debian, else named together with what is skipped.
set -eu
missing=
for program in curl msmtp shellcheck swaks; do
    command -v $program >/dev/null || missing="$missing $program"
done
[ -z "$missing" ] && exit

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing."
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    if told=$(apt-get update -qq 2>&1 && apt-get install -qq --no-install-recommends $missing 2>&1); then
        exit
    fi
    echo "apt-get could not install$missing: $(echo "$told" | tail -n 1)"
fi
for program in $missing; do
    echo "Not installed: $program. The tests that use $program are skipped."
done
