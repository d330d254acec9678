/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_KERNEL_VERSION_H
#define QUIRE_KERNEL_VERSION_H

#define QUIRE_VERSION "0.1"

#endif
