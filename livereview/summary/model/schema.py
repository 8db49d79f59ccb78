"""The JSON Schemas of the published files, made from their types: what others may rely on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from livereview.summary import model
from livereview.summary.model import front, search_report, tombstone, trace
from livereview.summary.model.base import Model

TYPES: Mapping[str, tuple[type[Model], str]] = {
    "summary": (model.Summary, model.SCHEMA_VERSION),
    "trace": (trace.Trace, trace.SCHEMA_VERSION),
    "prisma-s": (search_report.SearchReport, search_report.SCHEMA_VERSION),
    "index": (front.FrontPage, model.SCHEMA_VERSION),
    "tombstone": (tombstone.Tombstone, tombstone.SCHEMA_VERSION),
}
"""By the file's name without its ending: its type, and the version of that type."""


class _Open(GenerateJsonSchema):
    """Objects may gain keys with a minor version, so that readers must not refuse what they don't know."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        made.pop("additionalProperties", None)
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Never: the key is the name, and the description says what it is."""
        return False


def schema(file: str = "summary") -> dict[str, Any]:
    """The schema of a file of TYPES, with a description for every property."""
    kind, version = TYPES[file]
    made = kind.model_json_schema(mode="serialization", by_alias=True, schema_generator=_Open)
    id = f"urn:livereview:{file}:{version}"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": id, **made}
