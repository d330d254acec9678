#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: mutation_soak.sh WORKSPACE
# This shard's mutants of all, or of as many as QUIRE_MUTANTS says.
set -euo pipefail
root=$(dirname "$(readlink -f "$1")")
options=()
[ -z "${QUIRE_MUTANTS:-}" ] || options=(--sample "$QUIRE_MUTANTS")
exec "$root/tools/mutate/mutate.py" --root "$root" --all --jobs 1 \
	--work "${TEST_TMPDIR:?}/mutate" "${options[@]}"
