#!/usr/bin/env python3
"""Builds the documentation as a site: docs/, the roles' READMEs, and the reference that antsibull-docs writes from the plugins and roles.

docs/README.md is the index: its sections are the navigation, and the sentence after a link is the page's description for search engines.
Run with the Python of .venv-docs (`make site`). Fails on any warning of antsibull-docs or Sphinx, a link that leads nowhere included.
MAILOPS_SITE_URL, the address that the site will have, adds the canonical links.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
DOCS = REPO / "docs"
SITE = REPO / "scripts" / "site"
COLLECTION = "mailops.m365"
REPOSITORY = "https://github.com/mailops/m365/blob/main/"
# Where the labels of Ansible's own documentation lead, to which the reference refers.
ANSIBLE_DOCS = "https://docs.ansible.com/ansible/latest/"
ANSIBLE_LABELS = {
    "ansible_configuration_settings": "reference_appendices/config.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "ansible_collections.ansible.builtin.default_callback": "collections/ansible/builtin/default_callback.html",
}
# A line of the index: title, target and description.
_ENTRY = re.compile(r"^- \[([^\]]+)\]\(([\w./-]+\.md(?:#\w+)?)\): (.+)$", re.MULTILINE)
# Where the repository lists its roles; the site has a page for them.
ROLES = "../README.md#roles"
_LABEL = re.compile(r":ref:`(?:([^`<]+?) *<([\w.]+)>|(\w+))`")
_TARGET = re.compile(r"(\]\(<?)([^)\s>]+)")


def index_entries(index: str) -> dict[str, str]:
    """The description of each page of docs/, by its name, in the order of the navigation."""
    return {page: description for _title, page, description in _ENTRY.findall(index)}


def outside_code(content: str, change: Callable[[str], str]) -> str:
    """The page with `change` made to everything but its blocks of code."""
    parts = re.split(r"(^```.*?^```$)", content, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else change(part) for part in parts)


def site_target(target: str, folder: str) -> str:
    """A link's target as the site has it; `folder` is that of the page ("" or "roles")."""
    if target == ROLES:
        return "roles.md"
    up = "../" if folder else ""
    path, _hash, anchor = target.partition("#")
    if path.startswith(REPOSITORY):
        path = path.removeprefix(REPOSITORY)
    elif re.match(r"[a-z]+:", path):
        return target
    elif path or folder:
        path = f"docs/{path}" if path and not folder else path
    if role := re.fullmatch(r"roles/(\w+)/README\.md", path):
        path = f"{up}roles/{role[1]}.md"
    elif path == "docs/modules.md" and anchor and (REPO / "plugins" / "modules" / f"{anchor}.py").exists():
        return f"{up}reference/{anchor}_module.rst"
    elif page := re.fullmatch(r"docs/([\w-]+\.md)", path):
        path = up + page[1].replace("README", "index")
    elif path:
        return REPOSITORY + path + _hash + anchor
    return path + _hash + anchor


def site_links(content: str, folder: str = "") -> str:
    """A page of the repository with the site's links."""
    return outside_code(content, lambda text: _TARGET.sub(lambda link: link[1] + site_target(link[2], folder), text))


def described(content: str, description: str) -> str:
    """A page of Markdown with its description for search engines."""
    return "---\nmyst:\n  html_meta:\n    description: " + json.dumps(description, ensure_ascii=False) + "\n---\n\n" + content


def contents(caption: str, pages: list[str]) -> str:
    """A table of contents that only the navigation shows."""
    return "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}" if caption else ":maxdepth: 1", "", *pages, "```", ""])


def navigation(index: str) -> str:
    """The index page with a table of contents for each section that lists pages."""
    sections = re.split(r"(?m)^(?=## )", index)
    return "".join(section.rstrip() + "\n" + _section_contents(section) + "\n" for section in sections)


def _section_contents(section: str) -> str:
    pages = [f"{title} <{site_target(page, '').removesuffix('.md')}>" for title, page, _description in _ENTRY.findall(section)]
    caption = section.partition("\n")[0].removeprefix("## ")
    return contents(caption, pages) if pages else ""


def reference_page(content: str, description: str, variables: set[str]) -> str:
    """A page of antsibull-docs with its description; `variables` are the environment variables that the reference describes.

    What is described elsewhere, in Ansible's own documentation, becomes an address or plain code, and the list of the page's
    headings goes, because the theme has one.
    """

    def external(link: re.Match[str]) -> str:
        title, label = link[1] or "Ansible's documentation", link[2] or link[3]
        return f"`{title} <{ANSIBLE_DOCS}{ANSIBLE_LABELS[label]}>`__" if label in ANSIBLE_LABELS else link[0]

    def variable(link: re.Match[str]) -> str:
        name = link[1].replace("\\", "")
        return link[0] if name in variables else f"``{name}``"

    content = re.sub(r":envvar:`([^`]+)`", variable, _LABEL.sub(external, content))
    content = content.replace(".. contents::\n   :local:\n   :depth: 1\n", "").replace(":orphan:\n", "", 1)
    return f".. meta::\n  :description: {description}\n\n{content}"


def reference_titles(folder: Path) -> dict[str, tuple[str, str, str]]:
    """Name, kind and short description of each page of the reference, by the file's stem."""
    pages = {}
    for path in sorted(folder.glob("*_*.rst")):
        if title := re.search(rf"^{re.escape(COLLECTION)}\.(\w+) ([\w ]+) -- (.+)$", path.read_text("utf-8"), re.MULTILINE):
            pages[path.stem] = (title[1], title[2], title[3].replace("\\", ""))
    return pages


def modules_page(content: str, plugins: dict[str, str]) -> str:
    """The lists of modules and other plugins from docs/modules.md; each name leads to its page of the reference.

    `plugins` has the name of each by its page.
    """
    lists = content.partition("## Options of every module")[0]
    lists = re.sub(r"\(#(\w+)\)", r"(reference/\1_module.rst)", lists)
    lists = re.sub(rf"\| `({re.escape(COLLECTION)}\.(\w+))` \| (\w+)", r"| [\1](reference/\2_\3.rst) | \3", lists)
    pages = [f"{name} <reference/{stem}>" for stem, name in sorted(plugins.items(), key=lambda plugin: plugin[1])]
    return re.sub(r"<!--.*?-->\n", "", lists) + contents("", [*pages, "Environment variables <reference/environment_variables>"])


def roles_page(roles: dict[str, str]) -> str:
    """The list of the roles; `roles` has the description of each."""
    rows = [f"| [{role}](roles/{role}.md) | {about} | [variables](reference/{role}_role.rst) |" for role, about in roles.items()]
    head = ["# Roles", "", "| Role | Description | Reference |", "| --- | --- | --- |"]
    pages = [page for role in roles for page in (f"{role} <roles/{role}>", f"Variables of {role} <reference/{role}_role>")]
    return "\n".join([*head, *rows, contents("", pages)])


def prepare(source: Path, programs: Path) -> None:
    """Write what Sphinx builds from into an empty folder."""
    reference = source / "reference"
    reference.mkdir(parents=True)
    shutil.copytree(SITE, source, dirs_exist_ok=True, ignore=shutil.ignore_patterns("antsibull-docs.cfg"))
    write_reference(reference, programs)
    titles = reference_titles(reference)
    variables = set(re.findall(r"^\.\. envvar:: (\w+)$", (reference / "environment_variables.rst").read_text("utf-8"), re.MULTILINE))
    for path in reference.glob("*.rst"):
        name, kind, about = titles.get(path.stem, ("", "", "Environment variables that the plugins read"))
        description = f"{about}: reference of the Ansible {kind or 'collection'} {COLLECTION}.{name}".rstrip(".") + "."
        path.write_text(reference_page(path.read_text("utf-8"), description, variables), "utf-8")
    index = (DOCS / "README.md").read_text("utf-8")
    descriptions = index_entries(index)
    for path in DOCS.glob("*.md"):
        if path.name not in ("README.md", "modules.md"):
            (source / path.name).write_text(described(site_links(path.read_text("utf-8")), descriptions.get(path.name, "")), "utf-8")
    plugins = {stem: name for stem, (name, _kind, _about) in titles.items() if not stem.endswith("_role")}
    text = modules_page((DOCS / "modules.md").read_text("utf-8"), plugins)
    (source / "modules.md").write_text(described(text, descriptions["modules.md"]), "utf-8")
    about = " ".join(index.split("\n\n")[1].split())
    (source / "index.md").write_text(described(site_links(navigation(index)), about), "utf-8")
    write_roles(source, {stem.removesuffix("_role"): titles[stem][2] for stem in titles if stem.endswith("_role")}, descriptions[ROLES])


def write_reference(folder: Path, programs: Path) -> None:
    command: list[str | Path] = [programs / "antsibull-docs", "--config-file", SITE / "antsibull-docs.cfg", "collection", "--use-current"]
    command += ["--squash-hierarchy", "--no-indexes", "--fail-on-error", "--dest-dir", folder, COLLECTION]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(REPO / ".ansible" / "collections")}
    environment["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"antsibull-docs could not write the reference:\n{done.stdout}{done.stderr}")
    (folder / "index.rst").unlink(missing_ok=True)


def write_roles(source: Path, roles: dict[str, str], description: str) -> None:
    (source / "roles").mkdir()
    for role, about in roles.items():
        content = site_links((REPO / "roles" / role / "README.md").read_text("utf-8"), "roles")
        content += f"\n[All variables of role {role}](../reference/{role}_role.rst)\n"
        (source / "roles" / f"{role}.md").write_text(described(content, f"Ansible role {COLLECTION}.{role}: {about}."), "utf-8")
    (source / "roles.md").write_text(described(roles_page(roles), description), "utf-8")


def build(source: Path, target: Path) -> int:
    version = re.search(r"^version: (\S+)$", (REPO / "galaxy.yml").read_text("utf-8"), re.MULTILINE)
    environment = {**os.environ, "MAILOPS_SITE_VERSION": version[1] if version else ""}
    command = [sys.executable, "-m", "sphinx", "--builder", "html", "--jobs", "auto", "--nitpicky", "--fail-on-warning", "--quiet"]
    return subprocess.run([*command, source, target], env=environment, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=REPO / "build" / "site", help="folder of the site; replaced")
    output = parser.parse_args().output.resolve()
    source = output.with_name(f"{output.name}-source")
    for folder in (source, output):
        shutil.rmtree(folder, ignore_errors=True)
    prepare(source, Path(sys.executable).parent)
    status = build(source, output)
    if not status:
        print(f"Written: {output / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
