"""What all parts of the published model share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Number = Annotated[int | float, WithJsonSchema({"type": "number"})]
"""A number as it was written: 5 stays 5, and 5.0 stays 5.0, so that published bytes stay the same."""

Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
"""A moment in UTC, as 2026-03-03T02:05:00Z."""

Count = Annotated[int, Field(ge=0)]
"""How many."""


LivingState = Annotated[str, Field(json_schema_extra={"enum": ["living", "paused", "retired"]})]
"""Whether a review is kept alive. The protocol is checked where it is read, not here again."""


class Model(BaseModel):
    """Frozen data of summary.json: what is in no field can't be published by accident."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", serialize_by_alias=True, validate_by_name=True
    )


def empty(value: object) -> bool:
    """Whether a part is left out of the file: it came later than others, and says nothing here."""
    return not value
