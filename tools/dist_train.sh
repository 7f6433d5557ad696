#!/usr/bin/env bash
# tools/dist_train.sh CONFIG PROCESSES [options of train.py]
# Starts one process per GPU; without GPUs, processes on the CPU (gloo).
# Several machines: run it on each with NNODES, its NODE_RANK, and the same
# MASTER_ADDR and PORT. PYTHON is the interpreter.
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n '2,5s/^# //p' "$0" >&2
    exit 2
fi
CONFIG=$1
PROCESSES=$2
NNODES=${NNODES:-1}
NODE_RANK=${NODE_RANK:-0}
MASTER_ADDR=${MASTER_ADDR:-127.0.0.1}
TOOLS=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-$([ -x "$TOOLS/../.venv/bin/python" ] &&
    echo "$TOOLS/../.venv/bin/python" || echo python3)}
if [ -z "${PORT:-}" ]; then
    if [ "$NNODES" -gt 1 ]; then
        PORT=29500 # the same on all machines
    else
        PORT=$("$PYTHON" -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    fi
fi
exec "$PYTHON" -m torch.distributed.run \
    --nnodes="$NNODES" --node_rank="$NODE_RANK" \
    --master_addr="$MASTER_ADDR" --master_port="$PORT" \
    --nproc_per_node="$PROCESSES" \
    "$TOOLS/train.py" "$CONFIG" --launcher pytorch "${@:3}"
