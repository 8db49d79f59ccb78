"""What is wrong in a form stands at its field, by the label that people see."""

from __future__ import annotations

from livereview.web.form_mistakes import Mistake, mistakes

MESSAGE = """The form was not taken, 5 problems to put right:
- year: must be a number, not 'soon'
- results[0].construct: must be given
- results[1]: give both ci_low and ci_high, or neither
- appraisal of domain 1: is judged twice
- colour: unknown; the keys are study, label"""


def test_each_line_of_a_refusal_has_its_field_and_its_label() -> None:
    assert mistakes(MESSAGE) == (
        Mistake("Year", "must be a number, not 'soon'", "year"),
        Mistake("Results 1, Construct", "must be given", "results-0-construct", "results-0"),
        Mistake(
            "Results 2",
            "give both “95% interval from” and “95% interval to”, or neither",
            None,
            "results-1",
        ),
        Mistake("", "appraisal of domain 1: is judged twice"),
        Mistake("Colour", "unknown; the keys are study, label"),
    )


def test_a_refusal_of_another_kind_is_one_mistake() -> None:
    message = "doe-2020 needs the extractions of 2 people before a consensus"

    assert mistakes(message) == (Mistake("", message),)
