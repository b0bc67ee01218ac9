#!/usr/bin/env bash
# Runs every check and every test, goes on after a fault, and ends with the counts. Exit 1 on any fault.
set -uo pipefail
cd "$(dirname "$0")/../.."
bin=.venv/bin
partial=var/test-results.partial.json
failed=()
rm -f "$partial"

step() {
    echo "== $1"
    shift
    "$@" || failed+=("$*")
}

# Failed tests (exit code 1) are counted one by one in the results; any other fault is a run that ended early.
run_tests() {
    echo "== $1"
    shift
    local status=0
    $bin/python -m pytest -q --record-results "$partial" "$@" || status=$?
    [ $status -le 1 ] || failed+=("pytest $* (exit $status)")
}

step "规则检查" $bin/portal rules check
step "规则用例" $bin/portal rules test
step "规则变异" $bin/portal rules mutate
step "导入方向" $bin/lint-imports --no-cache
step "代码检查" $bin/ruff check .
run_tests "测试" -n 2 -m "not e2e and not serial"
# A browser, its portal and the test wait for each other much of the time: two of them fill two processors.
# A file of journeys stays with one worker, which has one portal for all of its files.
run_tests "浏览器" -n 2 --dist loadfile -m "e2e and not serial"
run_tests "测试（逐个运行）" -m serial

for command in "${failed[@]}"; do
    echo "未通过：$command"
done
$bin/python -m tests.results "$partial" var/test-results.json --failed-steps ${#failed[@]}
