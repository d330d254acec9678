/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/trace.h"

trace_recorder *volatile trace_record;
