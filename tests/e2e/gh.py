"""A stand-in for GitHub's command line program: `gh api` on the comments of a pull request, which are in the file FAKE_GITHUB.

As the program does it: --jq filters the answer (jq --raw-output), --input - is the body of the request.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

BOT = {"type": "Bot"}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["api"])
    parser.add_argument("path")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--jq")
    parser.add_argument("--input")
    parser.add_argument("--paginate", action="store_true")
    parser.add_argument("--silent", action="store_true")
    options = parser.parse_args()
    file = Path(os.environ["FAKE_GITHUB"])
    comments: list[dict[str, Any]] = json.loads(file.read_text())
    if not os.environ.get("GH_TOKEN"):
        print("gh: set GH_TOKEN", file=sys.stderr)
        return 4
    if options.method == "GET" and re.fullmatch(r"repos/contoso/mail/issues/7/comments", options.path):
        return subprocess.run(["jq", "--raw-output", options.jq], input=json.dumps(comments), text=True, check=False).returncode
    body = json.load(sys.stdin)["body"]
    if len(body) > 65_536:
        print("gh: Validation Failed (HTTP 422)", file=sys.stderr)
        return 1
    if options.method == "POST" and options.path == "repos/contoso/mail/issues/7/comments":
        comments.append({"id": len(comments) + 1, "user": BOT, "body": body})
    elif options.method == "PATCH" and (match := re.fullmatch(r"repos/contoso/mail/issues/comments/(\d+)", options.path)):
        comment = comments[int(match[1]) - 1]
        if comment["user"] != BOT:
            print("gh: Forbidden (HTTP 403)", file=sys.stderr)
            return 1
        comment["body"] = body
    else:
        print("gh: Not Found (HTTP 404)", file=sys.stderr)
        return 1
    file.write_text(json.dumps(comments))
    return 0


if __name__ == "__main__":
    sys.exit(main())
