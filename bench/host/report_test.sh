#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: report_test.sh REPORT_TEST_PY
set -euo pipefail
command -v python3 >/dev/null || { echo "python3 is needed. Debian: apt-get install python3" >&2; exit 1; }
PYTHONDONTWRITEBYTECODE=1 exec python3 "$1"
