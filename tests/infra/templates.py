"""Synthesised templates as tests read them: plain values, found by type."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Resource:
    """One resource of one stack."""

    stack: str
    id: str
    body: Mapping[str, Any]

    @property
    def type(self) -> str:
        return str(self.body["Type"])

    @property
    def properties(self) -> dict[str, Any]:
        return dict(self.body.get("Properties", {}))

    def __getitem__(self, name: str) -> Any:
        return self.properties[name]

    def __str__(self) -> str:
        return f"{self.stack}/{self.id}"


@dataclass(frozen=True)
class Assembly:
    """What one synthesis left behind."""

    folder: Path

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        """By the stack's name in the app: Network, Storage, …"""
        return {
            path.name.removesuffix(".template.json"): json.loads(path.read_text())
            for path in sorted(self.folder.glob("*.template.json"))
        }

    @cached_property
    def report(self) -> dict[str, Any]:
        """What the rule packs found. The CDK writes no report when they find nothing."""
        path = self.folder / "validation-report.json"
        report: dict[str, Any] = (
            json.loads(path.read_text()) if path.exists() else {"pluginReports": []}
        )
        return report

    def resources(self, kind: str = "", *, stack: str = "") -> list[Resource]:
        """Those of a type such as ``AWS::S3::Bucket``; of one stack, if named."""
        return [
            Resource(name, logical, body)
            for name, template in self.templates.items()
            for logical, body in template.get("Resources", {}).items()
            if kind in ("", body["Type"]) and stack in ("", name)
        ]

    def one(self, kind: str, *, stack: str = "", **properties: Any) -> Resource:
        """The only one of its type, with these properties if any are given."""
        found = [
            resource
            for resource in self.resources(kind, stack=stack)
            if all(resource.properties.get(name) == value for name, value in properties.items())
        ]
        assert len(found) == 1, f"{len(found)} of {kind} {properties}: {[str(r) for r in found]}"
        return found[0]


def as_list(value: Any) -> list[Any]:
    """CloudFormation writes one thing without a list around it."""
    return value if isinstance(value, list) else [value]


def statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of a policy, with actions and resources always as lists."""
    return [
        {**s, "Action": as_list(s["Action"]), "Resource": as_list(s.get("Resource", []))}
        for s in document["Statement"]
    ]


def flat(value: Any) -> str:
    """A text with references in it as one string, references as ``{logical id}``."""
    if isinstance(value, str):
        return value
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(flat(part) for part in parts)
        case {"Fn::Base64": inner}:
            return flat(inner)
        case {"Ref": name}:
            return "{" + str(name) + "}"
        case {"Fn::GetAtt": [name, attribute]}:
            return "{" + f"{name}.{attribute}" + "}"
        case {"Fn::ImportValue": name}:
            return "{" + flat(name) + "}"
        case _:
            return json.dumps(value)


def everything_in(value: Any) -> Iterator[Any]:
    """The value, and all that is inside it."""
    yield value
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from everything_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from everything_in(inner)
