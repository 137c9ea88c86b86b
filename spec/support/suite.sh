#!/bin/bash
# Runs checks one after the other and counts what passed and failed.
#
# usage: spec/support/suite.sh CHECK...
#   luacheck    luacheck over all Lua code: one check
#   tidy:DIR    clang-tidy's findings, collected by make in DIR: one check
#   DIR         every spec below DIR, if there is such a directory
#   FILE        the specs of one file, which has to be there
#
# Environment: TIDELOCK_BUILD, the build directory under test; T, a pattern: spec files whose path matches it,
# or when none does, specs whose name matches it; TIDELOCK_TIMES, a file that gets each spec's time.
# The last line is "N passed, N failed"; the exit status is 0 when something ran and nothing failed.

set -u
passed=0
failed=0
build=${TIDELOCK_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count() { # count NAME STATUS OUTPUT-FILE
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "-- $1 --"
    cat "$3"
}

run_luacheck() {
    # shellcheck disable=SC2046 # paths without blanks
    luacheck --no-color -q $(ls -d lua scripts spec 2> /dev/null) .busted > "$work/out" 2>&1
    count luacheck $? "$work/out"
}

run_tidy() {
    # The way to each finding, step by step, stays in the files.
    find "$1" -name '*.txt' -size +0 -exec grep -hE -A2 ' (warning|error): ' {} + > "$work/out"
    local found=0
    if [ -s "$work/out" ]; then
        found=1
        echo "more in $1" >> "$work/out"
    fi
    count clang-tidy $found "$work/out"
}

# Sanitizers make a process that reports something exit with status 99, and write the report to a file
# that spec/support/proxy.lua looks for when a proxy has stopped.
sanitizer_environment() {
    local common="exitcode=99:log_path=$work/sanitizer"
    export TIDELOCK_SANITIZER_LOG=$work/sanitizer
    export ASAN_OPTIONS="$common:detect_leaks=1:abort_on_error=0"
    export UBSAN_OPTIONS="$common:print_stacktrace=1"
    export TSAN_OPTIONS="$common:suppressions=$PWD/spec/tsan.supp:second_deadlock_stack=1"
    export LSAN_OPTIONS="suppressions=$PWD/spec/lsan.supp:print_suppressions=0"
}

# The library under test is loaded into LuaJIT, so the sanitizer's runtime has to be there before it.
# Leaks are looked for in the proxy, not in the interpreter.
preload() {
    case $build in
    *build-asan) echo "$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" ;;
    esac
}

run_specs() {
    local dirs=() files dir options="$ASAN_OPTIONS"
    for dir in "$@"; do
        [ -e "$dir" ] && dirs+=("$dir")
    done
    if [ ${#dirs[@]} = 0 ]; then
        failed=$((failed + 1))
        return
    fi
    local args=("${dirs[@]}")
    if [ -n "${T:-}" ]; then
        files=$(find "${dirs[@]}" -name '*_spec.lua' | grep -E -- "$T")
        # shellcheck disable=SC2206 # paths without blanks
        [ -n "$files" ] && args=($files) || args+=("--filter=$T")
    fi
    [ -z "$(preload)" ] || options="$options:detect_leaks=0"
    rm -f "$work/counts"
    TIDELOCK_PROXY_ASAN_OPTIONS=$ASAN_OPTIONS ASAN_OPTIONS=$options LD_PRELOAD=$(preload) \
        TIDELOCK_COUNTS=$work/counts busted --lua=/usr/bin/luajit "${args[@]}"
    local status=$? good=0 bad=0
    [ -f "$work/counts" ] && read -r good bad < "$work/counts"
    # busted died before it could count, or found no spec at all.
    if [ "$status" != 0 ] && [ "$bad" = 0 ] || [ $((good + bad)) = 0 ]; then
        echo "-- busted ended with status $status after $good passed --"
        bad=$((bad + 1))
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
}

sanitizer_environment
specs=()
for check in "$@"; do
    case $check in
    luacheck) run_luacheck ;;
    tidy:*) run_tidy "${check#tidy:}" ;;
    *.lua)
        [ -f "$check" ] || { echo "suite.sh: no file $check" >&2; exit 2; }
        specs+=("$check")
        ;;
    *) specs+=("$check") ;;
    esac
done
[ ${#specs[@]} = 0 ] || run_specs "${specs[@]}"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
