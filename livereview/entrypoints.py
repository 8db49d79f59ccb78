"""Where Prefect's workers find the flows, by names that are the same in a checkout and in a wheel.

`livereview deploy` may run from one and the workers from the other.
"""

from __future__ import annotations

from typing import Any

from livereview.night import flow_module

PLACES = {  # module of the flows, by the name of the flow's function
    "dispatch": "dispatch",
    "dispatch_look_ups": "dispatch",
    "search_one": "dispatch",
    "recheck_night": "night",
    "publish_behind": "night",
    "tell_webhooks": "night",
    "mail_digests": "night",
    "follow": "deploy",
}


def __getattr__(name: str) -> Any:
    """The flow of this name, imported when a worker asks for it."""
    if name not in PLACES:
        raise AttributeError(f"livereview has no flow {name!r}; it has {', '.join(PLACES)}")
    return getattr(flow_module(PLACES[name]), name)
