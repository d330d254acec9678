/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the event handlers share. */
#ifndef QUIRE_KERNEL_REGISTRY_EVENTHANDLER_PRIVATE_H
#define QUIRE_KERNEL_REGISTRY_EVENTHANDLER_PRIVATE_H

#include "kernel/registry/eventhandler.h"

/* Takes an entry that was deregistered back, if it is one of the registry's own. Nothing locked. */
void eventhandler_own_release(struct eventhandler_entry *entry);

#endif
