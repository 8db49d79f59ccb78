"""The HTTP API for programs: everything that the screening room does, described by OpenAPI."""
