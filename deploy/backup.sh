#!/usr/bin/env bash
# backup.sh TARGET [KEEP]: copy the database (while it is in use) and the published site into TARGET, prove that the copy
# opens, and keep the newest KEEP copies (30).
set -euo pipefail
umask 077
target=${1:?usage: backup.sh TARGET [KEEP]}
keep=${2:-30}
here=$(cd "$(dirname "$0")/.." && pwd)
home=${LIVEREVIEW_HOME:-$here/livereview-data}
name=$(date -u +%Y%m%dT%H%M%SZ)
export LIVEREVIEW_HOME=$home

"$here/.venv/bin/livereview" backup --name "$name"
mkdir -p "$target/$name"
mv "$home/backups/$name.duckdb" "$target/$name/livereview.duckdb"
[ -d "$home/site" ] && tar -C "$home" -czf "$target/$name/site.tar.gz" site
LIVEREVIEW_HOME="$target/$name" "$here/.venv/bin/livereview" status --json >"$target/$name/status.json" || [ $? -eq 1 ] # 1: alarms
find "$target" -mindepth 1 -maxdepth 1 -type d -name '20*Z' | sort | head -n "-$keep" | xargs -r rm -r
echo "Wrote $target/$name"
