"""The JSON Schema of summary.json, made from its types: what others may rely on."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from livereview.summary.model import SCHEMA_VERSION, Summary

ID = f"urn:livereview:summary:{SCHEMA_VERSION}"


class _Open(GenerateJsonSchema):
    """Objects may gain keys with a minor version, so that readers must not refuse what they don't know."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        made.pop("additionalProperties", None)
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Never: the key is the name, and the description says what it is."""
        return False


def schema() -> dict[str, Any]:
    """The schema, with a description for every property."""
    made = Summary.model_json_schema(mode="serialization", by_alias=True, schema_generator=_Open)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID, **made}
