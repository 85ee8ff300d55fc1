#!/bin/sh
# What some tests use: mail clients and libraries, DNS clients, shellcheck, a browser, and what boots test hosts. Installed as root on
# Debian, else named together with what is skipped. Arguments: only these programs.
set -eu
missing='' every=''
if [ $# = 0 ]; then
    every=yes
    set -- chromium-headless-shell curl dig ip jq mmdebstrap msmtp nft nsupdate openssl shellcheck ssh swaks systemd-nspawn
fi
for program in "$@"; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
if [ "$every" ]; then
    command -v php >/dev/null && [ -f /usr/share/php/libphp-phpmailer/autoload.php ] || missing="$missing php-cli php-mbstring libphp-phpmailer"
    perl -MNet::SSLeay -e 1 2>/dev/null || missing="$missing libnet-ssleay-perl" # with which swaks speaks TLS
    command -v javac >/dev/null && [ -f /usr/share/java/jakarta-mail.jar ] || missing="$missing default-jdk-headless libjakarta-mail-java"
    ruby -e "require 'action_mailer'" 2>/dev/null || missing="$missing ruby ruby-actionmailer"
    command -v node >/dev/null || missing="$missing nodejs node-nodemailer"
fi
[ -z "$missing" ] && exit

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing."
    export DEBIAN_FRONTEND=noninteractive
    # mmdebstrap requires the keys of Debian's archive, which only Debian has by itself.
    packages=$(echo "$missing" | sed -E 's/ (dig|nsupdate)\>/ bind9-dnsutils/g; s/ ip\>/ iproute2/; s/ ssh\>/ openssh-client/; s/ nft\>/ nftables/
        s/ systemd-nspawn\>/ systemd-container/; s/ mmdebstrap\>/ mmdebstrap debian-archive-keyring/')
    # shellcheck disable=SC2086
    if told=$(apt-get update -qq 2>&1 && apt-get install -qq --no-install-recommends $packages 2>&1); then
        exit
    fi
    echo "apt-get could not install$missing: $(echo "$told" | tail -n 1)"
fi
for program in $missing; do
    echo "Not installed: $program. The tests that use $program are skipped."
done
