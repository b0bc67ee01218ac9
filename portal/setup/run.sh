#!/usr/bin/env bash
# Serves the portal with demo data and the partner simulators, and stops both together.
set -euo pipefail
cd "$(dirname "$0")/../.."
export HOST=127.0.0.1 PORT="${PORT:-8000}" DEMO=1
export PARTNERS_PORT="${PARTNERS_PORT:-$((PORT + 1))}"
export PARTNERS_URL="${PARTNERS_URL:-http://127.0.0.1:$PARTNERS_PORT}"
wait_seconds=60

is_taken() {
    (exec 3<> "/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

for port in "$PORT" "$PARTNERS_PORT"; do
    if is_taken "$port"; then
        echo "端口 $port 已被其他程序占用；请换一个端口，例如 PORT=$((PORT + 100)) make run。" >&2
        exit 2
    fi
done

.venv/bin/portal migrate
.venv/bin/portal demo --if-empty

children=()
stop() {
    trap - INT TERM EXIT
    for child in "${children[@]}"; do
        kill -TERM "$child" 2>/dev/null || true
    done
    wait || true
}
trap 'stop; exit 0' INT TERM
trap stop EXIT

.venv/bin/portal partners --port "$PARTNERS_PORT" &
children+=($!)
.venv/bin/portal serve &
children+=($!)

for ((tick = 0; tick < wait_seconds * 5; tick++)); do
    is_taken "$PORT" && break
    kill -0 "${children[0]}" 2>/dev/null && kill -0 "${children[1]}" 2>/dev/null || break
    sleep 0.2
done
if is_taken "$PORT"; then
    echo "规图已启动：http://127.0.0.1:$PORT"
    echo "演示账号：.venv/bin/portal demo --accounts"
    echo "按 Ctrl-C 停止门户与伙伴模拟器。"
fi

# Whichever ends first ends the other; its exit code is ours.
status=0
wait -n "${children[@]}" || status=$?
exit "$status"
