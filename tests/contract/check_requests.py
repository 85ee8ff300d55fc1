#!/usr/bin/env python3
"""Hold recorded API requests against what Microsoft publishes.

Input: a JSON Lines file, one request a line, as the emulator records them:
  {"service": "graph",    "method": "POST", "path": "/v1.0/applications", "query": "$select=id", "body": {...}}
  {"service": "exchange", "cmdlet": "Set-CASMailbox", "parameters": {"Identity": "...", ...}}
Graph requests are checked against graph-v1.0-types.json (taken from Microsoft's CSDL): every path segment must be a
known navigation, property, action or key; every body property must exist on its type with a fitting JSON type; $select
and $expand may name known properties only. A $batch body is opened and each inner request checked.
Exchange requests are checked against exchange-cmdlets.json (taken from Microsoft's cmdlet reference): cmdlet,
parameter names, JSON types, required parameters, and that all parameters can stand in one parameter set.
Requests to hosted relays are checked against hosted-relays.json (taken from the providers' OpenAPI documents): operation,
query parameters, body properties with their JSON types, required properties.
Prints one line a violation and a closing count; exit status 1 if there is any, 2 if the file holds no request.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

HERE = pathlib.Path(__file__).resolve().parent
GRAPH = json.loads((HERE / "graph-v1.0-types.json").read_text())
HOSTED = json.loads((HERE / "hosted-relays.json").read_text())["operations"]
CMDLETS = json.loads((HERE / "exchange-cmdlets.json").read_text())["cmdlets"]

JSON_TYPES = {
    "Edm.String": str,
    "Edm.Guid": str,
    "Edm.DateTimeOffset": str,
    "Edm.Date": str,
    "Edm.Duration": str,
    "Edm.Boolean": bool,
    "Edm.Int16": int,
    "Edm.Int32": int,
    "Edm.Int64": int,
    "Edm.Byte": int,
    "Edm.Double": (int, float),
    "Edm.Decimal": (int, float),
    "Edm.Single": (int, float),
    "Edm.Binary": str,
    "Edm.Stream": str,
}
# What only version beta of Graph has ("List signIns", 2026-08; securityDefaultsUpsell): path and the properties that a filter may name.
BETA = {
    "auditLogs/signIns": {
        "createdDateTime", "clientAppUsed", "appId", "resourceId", "resourceDisplayName", "ipAddress", "conditionalAccessStatus",
        "servicePrincipalId", "status", "signInEventTypes",
    },
    "reports/servicePrincipalSignInActivities": {"appId"},
    "policies/identitySecurityDefaultsEnforcementPolicy": set(),
}  # fmt: skip
COLLECTION = re.compile(r"^Collection\((.*)\)$")


def members(type_name: str, kind: str) -> dict:
    """Properties, navigation or actions of a type, its base types' included."""
    merged: dict = {}
    while type_name:
        entry = GRAPH["types"].get(type_name)
        if not entry:
            break
        merged = {**entry.get(kind, {}), **merged}
        type_name = entry.get("base")
    return merged


def is_cast(segment: str, type_name: str) -> bool:
    """Whether a path segment is the name of a type that is derived from `type_name`."""
    derived = GRAPH["types"].get(segment, {}).get("base")
    while derived and derived != type_name:
        derived = GRAPH["types"].get(derived, {}).get("base")
    return bool(derived)


def is_open(type_name: str) -> bool:
    while type_name:
        entry = GRAPH["types"].get(type_name)
        if not entry:
            return True
        if entry.get("open"):
            return True
        type_name = entry.get("base")
    return False


def check_value(value, type_name: str, where: str, problems: list) -> None:
    collection = COLLECTION.match(type_name)
    if value is None:
        return
    if collection:
        if not isinstance(value, list):
            problems.append(f"{where}: {type(value).__name__} where {type_name} is expected")
            return
        for number, item in enumerate(value):
            check_value(item, collection.group(1), f"{where}[{number}]", problems)
        return
    if type_name in GRAPH["enums"]:
        names = set(GRAPH["enums"][type_name])
        if not isinstance(value, str) or not set(value.split(",")) <= names:
            problems.append(f"{where}: {value!r} is not one of {sorted(names)}")
        return
    if type_name in JSON_TYPES:
        expected = JSON_TYPES[type_name]
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            problems.append(f"{where}: {type(value).__name__} where {type_name} is expected")
        elif type_name == "Edm.Guid" and not re.fullmatch(r"[0-9a-fA-F-]{36}", value):
            problems.append(f"{where}: {value!r} is no GUID")
        return
    if type_name in GRAPH["types"]:
        if not isinstance(value, dict):
            problems.append(f"{where}: {type(value).__name__} where {type_name} is expected")
            return
        check_body(value, type_name, where, problems)


def check_body(body: dict, type_name: str, where: str, problems: list) -> None:
    properties, navigation = members(type_name, "properties"), members(type_name, "navigation")
    for name, value in body.items():
        if name.startswith("@odata."):
            continue
        bare = name.split("@", 1)[0]
        if "@odata.bind" in name:
            if bare not in navigation:
                problems.append(f"{where}.{bare}: no navigation property of {type_name} to bind")
        elif bare in properties:
            check_value(value, properties[bare]["type"], f"{where}.{bare}", problems)
        elif bare in navigation or (bare == "password" and type_name.endswith("message")):
            continue
        else:
            # open types take extensions (extension_..., schema extensions), never plain unknown names
            if is_open(type_name) and re.match(r"(extension_|ext[a-z0-9]{8}_)", bare):
                continue
            problems.append(f"{where}.{bare}: no such property on {type_name}")


def check_query(query: str, type_name: str, where: str, problems: list) -> None:
    known = {**members(type_name, "properties"), **members(type_name, "navigation")}
    for name, value in parse_qsl(query or "", keep_blank_values=True):
        if name not in {
            "$select",
            "$expand",
            "$filter",
            "$top",
            "$count",
            "$orderby",
            "$search",
            "$skiptoken",
            "$skip",
            "api-version",
            "$format",
        }:
            problems.append(f"{where}: query option {name!r} is not known")
        if name in {"$select", "$orderby"} and known:
            for item in value.split(","):
                bare = item.strip().split(" ")[0].split("/")[0]
                if bare and bare not in known:
                    problems.append(f"{where}: {name}={item}: no such property on {type_name}")
        if name == "$expand" and known:
            for item in re.split(r",(?![^()]*\))", value):
                bare = item.strip().split("(")[0].split("/")[0]
                if bare and bare not in known:
                    problems.append(f"{where}: $expand={item}: no such navigation on {type_name}")
        if name == "$filter" and known:
            text = re.sub(r"'(?:[^']|'')*'", "''", value)
            for word in re.findall(r"(?<![\w/:.\-'])([A-Za-z]\w*)(?=(?:/\w+)*\s+(?:eq|ne|gt|ge|lt|le|in)\b)", text):
                if word not in known and not re.search(rf"\b{word}:", text):
                    problems.append(f"{where}: $filter names {word!r}: no such property on {type_name}")


def check_beta(query: str, properties: set, where: str, problems: list) -> None:
    """A collection of version beta: its query options, and the properties of $filter."""
    for name, value in parse_qsl(query or "", keep_blank_values=True):
        if name not in {"$filter", "$top", "$skiptoken"}:
            problems.append(f"{where}: query option {name!r} is not known")
        if name == "$filter":
            text = re.sub(r"'(?:[^']|'')*'|\w+:\w+", "", value)
            unknown = set(re.findall(r"[A-Za-z]{4,}", re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "", text))) - properties
            problems += [f"{where}: $filter names {word!r}: not a property that can be filtered" for word in sorted(unknown)]


def check_graph(method: str, path: str, query: str, body, problems: list, where: str) -> None:
    parts = urlsplit(path)
    query = query or parts.query
    segments = [unquote(s) for s in parts.path.strip("/").split("/") if s]
    if segments[:1] == ["beta"] and "/".join(segments[1:]) in BETA and method == "GET":
        check_beta(query, BETA["/".join(segments[1:])], where, problems)
        return
    if segments and segments[0] in {"v1.0", "beta"}:
        if segments[0] == "beta":
            problems.append(f"{where}: beta endpoint")
        segments = segments[1:]
    if not segments:
        problems.append(f"{where}: empty path")
        return
    if segments == ["$batch"]:
        inner = (body or {}).get("requests", [])
        if not 1 <= len(inner) <= 20:
            problems.append(f"{where}: a $batch holds 1 to 20 requests, not {len(inner)}")
        ids = [r.get("id") for r in inner]
        if len(set(ids)) != len(ids) or not all(isinstance(i, str) and i for i in ids):
            problems.append(f"{where}: $batch ids must be distinct strings")
        for request in inner:
            if request.get("body") is not None and "content-type" not in {k.lower() for k in request.get("headers", {})}:
                problems.append(f"{where}: $batch item {request.get('id')}: a body needs a Content-Type header")
            check_graph(
                request.get("method", ""), request.get("url", ""), "", request.get("body"), problems, f"{where}#{request.get('id')}"
            )
        return
    head, *rest = segments
    name = head.split("(", 1)[0]
    if name in GRAPH["entitySets"]:
        current, many = GRAPH["entitySets"][name], "(" not in head
    elif name in GRAPH["singletons"]:
        current, many = GRAPH["singletons"][name], False
    else:
        problems.append(f"{where}: {name!r} is no entity set or singleton that this project may use")
        return
    action = None
    for segment in rest:
        bare = segment.split("(", 1)[0].removeprefix("microsoft.graph.")
        navigation, properties = members(current, "navigation"), members(current, "properties")
        actions = {k.lower(): v for k, v in members(current, "actions").items()}
        if segment in {"$ref", "$value"} or (segment == "$count" and many):
            continue
        if is_cast(segment, current):  # OData 4.01, part 2, 4.11: addressing derived types
            current = segment
            continue
        if many and (bare not in GRAPH["types"].get(current, {}).get("actions", {})):
            many = False  # a key
        elif bare in navigation:
            inner = COLLECTION.match(navigation[bare])
            current, many = (inner.group(1) if inner else navigation[bare]), bool(inner) and "(" not in segment
        elif bare in properties:
            inner = COLLECTION.match(properties[bare]["type"])
            current, many = (inner.group(1) if inner else properties[bare]["type"]), False
        elif bare.lower() in actions:
            action = actions[bare.lower()]
        else:
            problems.append(f"{where}: {segment!r} is nothing on {current}")
            return
    check_query(query, current, where, problems)
    if method in {"POST", "PATCH", "PUT"} and isinstance(body, dict) and "$ref" not in segments:
        if action:
            for key, value in body.items():
                if key not in action["parameters"]:
                    problems.append(f"{where}: action parameter {key!r} is not known")
                else:
                    check_value(value, action["parameters"][key]["type"], f"{where}.{key}", problems)
        else:
            check_body(body, current, where, problems)


def fits(value, declared: str) -> bool:
    """Whether a JSON value can stand for a cmdlet parameter of the declared .NET type."""
    if value is None:
        return True
    many = declared.endswith("[]") or declared in {"MultiValuedProperty", "ProxyAddressCollection"}
    if isinstance(value, dict):
        return (many and "@odata.type" in value) or declared.startswith("Hashtable")
    if isinstance(value, list):
        return many
    if declared in {"Boolean", "SwitchParameter"}:
        return isinstance(value, bool)
    if re.fullmatch(r"U?Int(16|32|64)", declared):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


# where the cmdlet reference is known to differ from the service (exchange-cmdlets.json, doc_quirks)
NOT_REQUIRED = {("New-ServicePrincipal", "ServiceId"), ("Set-OrganizationConfig", "ShortenEventScopeDefault")}


def check_exchange(cmdlet: str, parameters: dict, problems: list, where: str) -> None:
    entry = CMDLETS.get(cmdlet)
    if entry is None:
        problems.append(f"{where}: cmdlet {cmdlet!r} is not in the reference")
        return
    declared = {name.lower(): (name, spec) for name, spec in entry["parameters"].items()}
    passed = set()
    for name, value in (parameters or {}).items():
        if name.lower() not in declared:
            problems.append(f"{where}: {cmdlet} has no parameter {name!r}")
            continue
        spelled, spec = declared[name.lower()]
        passed.add(spelled)
        if spelled != name:
            problems.append(f"{where}: {cmdlet} spells it {spelled!r}, not {name!r}")
        if spec.get("exchange_online") is False or spec.get("reserved_for_microsoft"):
            problems.append(f"{where}: {cmdlet} -{name} is not for Exchange Online's customers")
        if not fits(value, spec["type"]):
            problems.append(f"{where}: {cmdlet} -{name} takes {spec['type']}, got {type(value).__name__} {value!r}")
        values = [v.lower() for v in spec.get("documented_values", []) if not v.startswith("$")]
        if spec["type"][:6] in {"Tenant", "Active"} and isinstance(value, str) and values and value.lower() not in values:
            problems.append(f"{where}: {cmdlet} -{name} takes one of {spec['documented_values']}, got {value!r}")
        if name == "Identity" and not value:
            problems.append(f"{where}: {cmdlet} with an empty Identity answers with every object")

    def possible(one: str) -> bool:
        for name, spec in entry["parameters"].items():
            in_set = one in spec.get("sets", [one])
            if name in passed and not in_set:
                return False
            required = spec.get("required_in", [])
            if in_set and (one in required or "*" in required) and name not in passed and (cmdlet, name) not in NOT_REQUIRED:
                return False
        return True

    if cmdlet != "Set-OrganizationConfig" and not any(possible(one) for one in entry["parameter_sets"] or {"(All)": {}}):
        problems.append(f"{where}: {cmdlet} with {sorted(passed)}: no parameter set takes these together, or a required one is missing")


HOSTED_TYPES = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}
# Values of forms are texts.
FORM_TYPES = {"string": "", "boolean": "true|false", "integer": r"\d+", "number": r"[\d.]+"}


def check_hosted(service: str, method: str, path: str, query: str, body, problems: list, where: str) -> None:
    """A request to a hosted relay's API: its operation, the names of its query, and names, types and completeness of its body."""
    matches = [one for one in HOSTED[service] if one["method"] == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one["path"]), path)]
    if not matches:
        problems.append(f"{where}: no operation of {service} that this project may use")
        return
    operation = min(matches, key=lambda one: one["path"].count("{"))
    known = {name.rstrip("?") for name in operation.get("query", {})}
    problems += [f"{where}: query parameter {name!r} is not known" for name, _ in parse_qsl(query or "") if name not in known]
    form = operation.get("body", {}).get("content_type") == "multipart/form-data"
    properties = operation.get("body", {}).get("properties", {})
    items = properties.items() if isinstance(properties, dict) else ()  # "object": a body without properties
    declared = {name.rstrip("?"): (type_, name.endswith("?")) for name, type_ in items}
    problems += [f"{where}: {name} is required" for name, (_, optional) in declared.items() if not optional and name not in (body or {})]
    for name, value in (body or {}).items():
        expected = HOSTED_TYPES.get(declared[name][0]) if name in declared and isinstance(declared[name][0], str) else None
        if name not in declared:
            problems.append(f"{where}: no such property {name!r}")
        elif form:
            pattern = FORM_TYPES[declared[name][0]]
            if not isinstance(value, str) or (pattern and not re.fullmatch(pattern, value)):
                problems.append(f"{where}: {name} is {value!r} where {declared[name][0]} is expected in a form")
        elif expected and (not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool)):
            problems.append(f"{where}: {name} is {type(value).__name__} where {declared[name][0]} is expected")


def main(path: str) -> int:
    problems: list[str] = []
    count = 0
    for number, line in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        record = json.loads(line)
        count += 1
        if record.get("service") == "graph":
            check_graph(
                record["method"].upper(),
                record["path"],
                record.get("query") or "",
                record.get("body"),
                problems,
                f"line {number} {record['method']} {record['path']}",
            )
        elif record.get("service") == "exchange":
            check_exchange(record["cmdlet"], record.get("parameters") or {}, problems, f"line {number} {record['cmdlet']}")
        elif record.get("service") in HOSTED:
            facts = (record["service"], record["method"].upper(), record["path"], record.get("query") or "", record.get("body"))
            check_hosted(*facts, problems, f"line {number} {record['method']} {record['path']}")
        else:
            problems.append(f"line {number}: unknown service {record.get('service')!r}")
    for problem in problems:
        print(problem)
    print(f"{count} requests, {len(problems)} violations")
    return 2 if not count else 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: check_requests.py RECORDED.jsonl")
    sys.exit(main(sys.argv[1]))
