"""An owner as a process of its own whose parsers may use little: python -m tests.hostile_owner HOME
CPU-SECONDS.
"""

from __future__ import annotations

import sys
from pathlib import Path

from livereview import settings
from livereview.parsing import requests
from livereview.web.serve import serve

if __name__ == "__main__":
    requests.CPU_SECONDS = float(sys.argv[2])
    serve(settings.read({}, Path(sys.argv[1])), port=0)
