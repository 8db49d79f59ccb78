"""Thin Prefect wrappers: what runs on a schedule. Nothing else imports Prefect.

In a checkout this package is `flows`; a wheel has it as `livereview._flows`, so that no other
package's `flows` is taken for it. It therefore imports its own modules relatively, and
`livereview.night.flow_module` finds it.
"""

import os

# read once, when Prefect is first imported
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
# A server of its own, for a night by hand, takes half a minute to start where the machine is busy;
# Prefect waits 20 s.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "300")
# What fetch says of every request belongs into the run's log.
os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "livereview")
# outside a run there is no log to go to
os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
# A run that is killed is then seen to be gone, instead of "running" for ever.
os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "60")
