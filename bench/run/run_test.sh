#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: run_test.sh BENCH.PY WORKSPACE
# The Python tests of the runner. WORKSPACE is the file of that name in the tree, or a link to it.
set -euo pipefail
folder=$(cd "$(dirname "$1")" && pwd)
QUIRE_ROOT=$(dirname "$(readlink -f "$2")")
export QUIRE_ROOT PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$folder:$folder/tests
exec python3 -m unittest discover -s "$folder/tests"
