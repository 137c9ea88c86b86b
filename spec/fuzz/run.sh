#!/bin/bash
# Runs the fuzz targets, two at a time, each for its share of the time.
#
# usage: spec/fuzz/run.sh SECONDS [TARGET]
#
# Starts from what corpus/ and regressions/ hold and what earlier runs have found. Says for each target how many
# inputs were run, how many edges and features they reach, and for one that failed what was said and how to run it again. Environment:
# FUZZ_BUILD, where the program is. The last line is "N passed, N failed", a check for each target; the status is 0
# when nothing failed.

set -u
seconds=$1
only=${2:-}
build=${FUZZ_BUILD:-build-fuzz}
jobs=2
here=spec/fuzz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$build/crashes"

targets() { # NAME MAX_LEN lines
    "$build/fuzz" 2>&1 | sed -n 's/^\([a-z0-9_]* [0-9]*\)$/\1/p' | grep -E "^${only:-[^ ]*} "
}

run() { # run NAME MAX_LEN
    local name=$1 dirs=("$build/corpus/$1") dir
    mkdir -p "${dirs[0]}"
    for dir in corpus regressions; do
        [ -d "$here/$dir/$name" ] && dirs+=("$here/$dir/$name")
    done
    # A unit that takes longer than 10 s is a finding as well: nothing here may.
    FUZZ_TARGET=$name "$build/fuzz" -max_total_time="$share" -max_len="$2" -timeout=10 -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" "${dirs[@]}" > "$work/$name" 2>&1
    echo $? > "$work/$name.status"
}

report() { # report NAME
    local log=$work/$1 runs reached artifact
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    reached=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 edges, \2 features/p' "$log" | tail -1)
    printf '%-16s %9s runs, %s\n' "$1" "${runs:-?}" "${reached:-nothing reached}"
    [ "$(cat "$log.status")" != 0 ] || return 0
    grep -vE '^(#[0-9]|INFO|stat::|NEW_FUNC)' "$log" | tail -40
    artifact=$(sed -n 's/^.*Test unit written to //p' "$log" | tail -1)
    echo "again: FUZZ_TARGET=$1 $build/fuzz ${artifact:-}"
    return 1
}

mapfile -t list < <(targets)
if [ ${#list[@]} = 0 ]; then
    echo "no target ${only:-at all}; there are:" && only='' && targets
    echo "0 passed, 1 failed"
    exit 1
fi
share=$((seconds * jobs / ${#list[@]}))
[ ${#list[@]} -gt 1 ] || share=$seconds
[ "$share" -gt 0 ] || share=1
for target in "${list[@]}"; do
    # shellcheck disable=SC2086 # name and length
    run $target &
    while [ "$(jobs -rp | wc -l)" -ge $jobs ]; do
        wait -n
    done
done
wait
passed=0
failed=0
for target in "${list[@]}"; do
    if report "${target% *}"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
