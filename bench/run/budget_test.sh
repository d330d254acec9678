#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: budget_test.sh BENCH.PY KERNEL METER BUDGETS
# Does each call of the budgets (bench/budgets.txt) cost what it may? Counted in QEMU, where the same
# kernel gives the same figures on every machine.
set -euo pipefail
bench=$(readlink -f "$1") kernel=$(readlink -f "$2") meter=$(readlink -f "$3")
budgets=$(readlink -f "$4")
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$bench" --root "$(dirname "$(dirname "$budgets")")" --kernel "$kernel" \
	--meter "$meter" --qemu "${QUIRE_QEMU:-qemu-system-x86_64}" --budgets
