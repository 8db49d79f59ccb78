"""A second opinion on records by a language model: what it is asked, what counts as its answer, and
how good it was.

Pure: nothing here asks anybody. A model never votes and moves nothing; `docs/explanation/assistant.md`
says who sees what it answered.
"""
