"""Many queued messages at once: copies of one deferred message's queue file, which `postsuper -s` renames by their inodes.

A device would take many minutes to submit them, and none is as old as a test needs. Source: Postfix, rec_type.h (record T: arrival).
"""

from __future__ import annotations

from testbed.host import Host

from .relay import wait_until

NUMBERED = "message-00000"
# Every copy is `spacing` seconds older than the one before; its number is in the subject.
_COPY = """
import os, pathlib, pwd, re, sys
count, spacing, numbered = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
queue, owner = pathlib.Path("/var/spool/postfix"), pwd.getpwnam("postfix")
(original,) = [path for path in (queue / "deferred").rglob("*") if path.is_file()]
data = original.read_bytes()
times = [match for match in re.finditer(rb"(?:T.|create_time=)(\\d{10})(?=\\D)", data, re.DOTALL)]
assert len(times) == 2 and numbered in data
for number in range(1, count):
    copy = bytearray(data.replace(numbered, numbered[:-5] + b"%05d" % number))
    for match in times:
        copy[match.start(1) : match.end(1)] = b"%010d" % (int(match[1]) - number * spacing)
    path = queue / "incoming" / f"{0xA0000000 + number:X}"
    path.write_bytes(copy)
    os.chown(path, owner.pw_uid, owner.pw_gid)
    path.chmod(0o700)
"""


def count(host: Host, directory: str) -> int:
    """Messages in a directory of the queue, such as active."""
    return int(host.run(f"find /var/spool/postfix/{directory} -type f | wc -l"))


def fill(host: Host, sender: str, number: int, spacing: int = 0) -> None:
    """Queue so many messages while the upstream server is down; Postfix is stopped afterwards. The first one has number 0."""
    host.run(f"printf 'Subject: {NUMBERED}\\n\\n' | sendmail -f {sender} a@example.net")
    wait_until(lambda: count(host, "deferred") == 1, 60, lambda: host.run("postqueue -p"))
    host.run("systemctl stop postfix")
    host.run(["python3", "-c", _COPY, str(number), str(spacing), NUMBERED], timeout=600)
    host.run("postsuper -s", timeout=600)
