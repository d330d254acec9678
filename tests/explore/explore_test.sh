#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Usage: explore_test.sh EXPLORER ARGUMENTS...    the explorer's status is the test's
set -euo pipefail
# The thread sanitizer waits a second at the end of each process, and there are two for each scenario.
export TSAN_OPTIONS="${TSAN_OPTIONS:-}:atexit_sleep_ms=0"
exec "$@"
