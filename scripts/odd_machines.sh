#!/usr/bin/env bash
# Run the tests as on odd machines: far time zones, other languages, a path with spaces and letters beyond ASCII, a
# process that was started in the background (it then ignores SIGINT).
#
#     scripts/odd_machines.sh                                  # every combination, all tests: hours
#     scripts/odd_machines.sh tests/test_clock.py              # every combination, some tests
#     ODD=turkish scripts/odd_machines.sh tests/test_texts.py  # one combination
set -uo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD
python=$checkout/.venv/bin/python
[ -x "$python" ] || { echo "no .venv yet: make .venv/ready" >&2; exit 2; }

declare -A odd=(
    [auckland]="TZ=Pacific/Auckland LC_ALL=C"
    [honolulu]="TZ=Pacific/Honolulu LC_ALL=C.UTF-8"
    [turkish]="TZ=Europe/Istanbul LC_ALL=tr_TR.UTF-8"
    [path]="TZ=Asia/Kathmandu LC_ALL=C.UTF-8"
    [background]="TZ=America/St_Johns LC_ALL=C.UTF-8"
)
order=(auckland honolulu turkish path background)

# A copy without what is made, in a folder that no program expects.
copy() {
    local parent
    parent=$(mktemp -d)
    local place="$parent/a review of Ærøskøbing’s homes"
    mkdir "$place"
    git ls-files -z | xargs -0 cp --parents -t "$place"
    if [ -d "$checkout/../shared" ]; then ln -s "$(realpath "$checkout/../shared")" "$parent/shared"; fi
    printf '%s' "$place"
}

failed=()
for name in "${order[@]}"; do
    [ -z "${ODD:-}" ] || [ "$ODD" = "$name" ] || continue
    settings=${odd[$name]}
    if [[ $settings == *tr_TR* ]] && ! locale -a 2>/dev/null | grep -qi '^tr_TR\.utf-\?8$'; then
        locales=$(mktemp -d)
        if ! localedef -i tr_TR -f UTF-8 "$locales/tr_TR.UTF-8" 2>/dev/null; then
            echo "== $name: skipped, this machine can't make the locale tr_TR.UTF-8 (Debian: apt-get install locales)"
            continue
        fi
        settings="$settings LOCPATH=$locales"
    fi
    place=$checkout
    [ "$name" = path ] && place=$(copy)
    echo "== $name: $settings in $place"
    command=(env $settings "PYTHONPATH=$place" "$python" -m pytest -q -p no:cacheprovider "$@")
    if [ "$name" = background ]; then
        (cd "$place" && trap '' INT && exec "${command[@]}")
    else
        (cd "$place" && "${command[@]}")
    fi || failed+=("$name")
    [ "$place" = "$checkout" ] || rm -rf "$(dirname "$place")"
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed on: ${failed[*]}" >&2
    exit 1
fi
echo "green on every odd machine that was tried"
