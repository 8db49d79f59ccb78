#!/usr/bin/env bash
# backup.sh PLACE [KEEP]: a whole copy of everything in PLACE (a folder of another disk, or an address that fsspec knows), the
# proof that it can be brought back, and only the newest KEEP copies (30) stay.
set -euo pipefail
umask 077
place=${1:?usage: backup.sh PLACE [KEEP]}
livereview=${LIVEREVIEW:-$(cd "$(dirname "$0")/.." && pwd)/.venv/bin/livereview}

"$livereview" backup --to "$place" --keep "${2:-30}"
"$livereview" restore "$place" --check
