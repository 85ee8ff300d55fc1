"""Debian roots for test hosts: made by mmdebstrap once, kept in .cache/hosts, and made anew when the recipe changes or they are old.

What the relay host and the devices' clients install is downloaded into the root's apt cache, so that a test host, which has no
way out, installs it with plain apt-get.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
CACHE = REPO / ".cache" / "hosts"
RELEASES = ("bookworm", "trixie")
# The releases that a run is limited to, with blanks between; without it, all of RELEASES.
LIMIT = "MAILOPS_TEST_RELEASES"
# A root that is older is made anew: its apt cache should hold what the release's mirror holds.
DAYS = 14
# Packages of a host that is installed to be managed by Ansible.
BASE = (
    "ca-certificates cron dbus iproute2 iputils-ping less logrotate netbase nftables openssh-server openssl procps python3 "
    "python3-apt sudo systemd-sysv tzdata"
)
DOWNLOADED = (
    "acl dovecot-core dovecot-submissiond fail2ban libnet-ssleay-perl libphp-phpmailer libsasl2-modules msmtp php-cli php-mbstring "
    "postfix postfix-lmdb postfix-pcre psmisc python3-msal python3-systemd python3-venv ssl-cert swaks"
)
# Another mail transfer agent, which cannot be installed beside Postfix.
OTHER = "exim4-daemon-light"
# What role relay_host installs for OAuth: installed already on a host that is to become a relay, where a test is not about that.
INSTALLED = "ca-certificates dovecot-core dovecot-submissiond libsasl2-modules openssl postfix python3-msal"
_INSTALL = """
set -eu
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
printf '#!/bin/sh\\nexit 101\\n' > "$1/usr/sbin/policy-rc.d" && chmod 755 "$1/usr/sbin/policy-rc.d"
root=$1 && shift
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install --quiet --yes --no-install-recommends --no-download "$@"
rm "$root/usr/sbin/policy-rc.d"
"""
# dpkg does not wait for the disk; manual pages are left out.
_DPKG = ("force-unsafe-io", "path-exclude=/usr/share/man/*", "path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/locale/*")
# Timers that would run in the middle of a test.
_QUIET = "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer motd-news.timer"


class ImageError(Exception):
    """A root could not be made; the text is the end of what mmdebstrap said."""


def root(release: str, cache: Path = CACHE) -> Path:
    """The root directory of a release; created where it is missing, old or of another recipe. It is read-only."""
    if release not in RELEASES:
        raise ImageError(f"{release!r} is no release that test hosts can be of: use {' or '.join(RELEASES)}.")
    cache.mkdir(parents=True, exist_ok=True)
    recipe = hashlib.sha256("\n".join(_command(release, Path("ROOT"))).encode()).hexdigest()[:12]
    with _locked(cache / f"{release}.lock"):
        match = next((path for path in sorted(cache.glob(f"{release}-{recipe}-*"), reverse=True) if _is_young(path)), None)
        return match or _make(release, recipe, cache)


def relay_root(release: str, cache: Path = CACHE) -> Path:
    """The same with the packages of a relay installed."""
    base = root(release, cache)
    recipe = hashlib.sha256(f"{base.name} {INSTALLED} {_INSTALL}".encode()).hexdigest()[:12]
    made = cache / f"{release}+relay-{recipe}"
    with _locked(cache / f"{release}.lock"):
        if not made.exists():
            _install(base, made)
        return made


def _install(base: Path, made: Path) -> None:
    unfinished = made.with_name(f"{made.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    subprocess.run(["cp", "--archive", "--reflink=auto", base, unfinished], check=True)
    command = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", _INSTALL, "sh", str(unfinished), *INSTALLED.split()]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ImageError(f"the packages of a relay could not be installed into {unfinished}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    for old in made.parent.glob(f"{made.name.rpartition('-')[0]}-*"):
        if old != unfinished and not _in_use(old):
            shutil.rmtree(old)
    unfinished.rename(made)


def tested() -> tuple[str, ...]:
    """The releases of this run's hosts."""
    limit = os.environ.get(LIMIT, "").split()
    return tuple(release for release in RELEASES if not limit or release in limit)


def in_this_run(release: str) -> str:
    """The release itself, or the first of those that the run is limited to."""
    return release if release in tested() else tested()[0]


def make_all() -> None:
    """Make every root of this run that is missing: before a network is entered, from which no mirror can be reached."""
    for release in tested():
        relay_root(release)


def _is_young(path: Path) -> bool:
    made = path.name.rpartition("-")[2]
    return made.isdigit() and time.time() - int(made) < DAYS * 86400


def _make(release: str, recipe: str, cache: Path) -> Path:
    made = cache / f"{release}-{recipe}-{int(time.time())}"
    unfinished = cache / f"{release}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    print(f"Making a {release} root for test hosts, once for {DAYS} days.", file=sys.stderr, flush=True)
    done = subprocess.run(_command(release, unfinished), check=False, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise ImageError(f"mmdebstrap could not make a {release} root:\n{done.stderr[-2000:]}")
    for old in cache.glob(f"{release}-*-*"):
        if not _in_use(old):
            shutil.rmtree(old)
    unfinished.rename(made)
    return made


def _in_use(path: Path) -> bool:
    """Whether a host of any run stands on this root: it is then a lower layer of a mount in some mount namespace."""
    for mounts in Path("/proc").glob("[0-9]*/mounts"):
        with contextlib.suppress(OSError):
            if str(path) in mounts.read_text(encoding="utf-8", errors="replace"):
                return True
    return False


def _command(release: str, into: Path) -> list[str]:
    command = ["mmdebstrap", "--mode=root", "--variant=apt", "--format=directory", "--skip=cleanup/apt", "--quiet"]
    command += [f"--include={','.join(BASE.split())}", *(f"--dpkgopt={option}" for option in _DPKG)]
    for packages in (DOWNLOADED, OTHER):
        command += [f'--customize-hook=chroot "$1" apt-get install --quiet --yes --no-install-recommends --download-only {packages}']
    command += [f'--customize-hook=chroot "$1" systemctl mask --quiet {_QUIET}']
    # Hosts get an identity each; an empty file would make systemd ask who it is.
    command += ['--customize-hook=echo 0123456789abcdef0123456789abcdef > "$1/etc/machine-id"']
    return [*command, release, str(into), *_mirror()]


def _mirror() -> list[str]:
    """The Debian mirror of this host, where it is a Debian; else mmdebstrap's own choice."""
    named = os.environ.get("MAILOPS_DEBIAN_MIRROR")
    if named:
        return [named]
    asked = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)", "Created-By: Packages"]
    output = subprocess.run(asked, check=False, capture_output=True, text=True).stdout
    return next(([line.split()[2]] for line in output.splitlines() if line.startswith("Debian Debian ")), [])


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One builder at a time, among all processes; the lock goes with the descriptor."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
