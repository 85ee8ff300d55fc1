#!/bin/sh
# foreign_clients.sh PYTHON: installs third-party clients for the emulator's tests; does nothing if they are installed.
# Microsoft's SDKs for Python get an environment of their own, which is large; nodemailer comes by npm, where that is.
set -eu
nodemailer=10.6.0

scripts/venv.sh .venv-clients "$1" tests/requirements-clients.txt ||
    echo "Microsoft's SDKs could not be installed. The tests that use them are skipped."

command -v npm >/dev/null || exit 0
grep -qs "\"version\": \"$nodemailer\"" .cache/clients/node_modules/nodemailer/package.json && exit
mkdir -p .cache/clients
npm install --prefix .cache/clients --no-save --no-package-lock --no-audit --no-fund --silent "nodemailer@$nodemailer" ||
    echo "nodemailer could not be installed. The tests that use it are skipped, unless Debian's is there."
