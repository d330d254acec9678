/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the meter has to know of an instruction, read once, when QEMU translates it. Pure: bytes
 * in, facts out; 64-bit mode is assumed, other modes only occur before a kernel's first marker.
 */
#ifndef QUIRE_BENCH_METER_INSN_H
#define QUIRE_BENCH_METER_INSN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	/*
	 * Touches no memory and raises no fault: if the instruction before it was executed, so is
	 * this one; and none of the facts below holds. Only forms known for it say so; not saying
	 * so costs speed and nothing else.
	 */
	INSN_PLAIN = 1 << 0,
	/* A LOCK prefix, or XCHG with memory, which is locked without one (SDM vol. 3A 9.1.2.1). */
	INSN_LOCKED = 1 << 1,
	/* May change what addresses mean: MOV to CR, INVLPG, INVPCID, RSM. */
	INSN_TRANSLATION = 1 << 2,
	/* WRMSR; and MOV of the x2APIC interrupt command register's number, 0x830, into ECX. */
	INSN_WRMSR = 1 << 3,
	INSN_ECX_ICR = 1 << 4,
	/* Another constant into ECX. */
	INSN_ECX_OTHER = 1 << 5,
	/* A marker of marker.h, whose kind and case are bytes 3 and 4; nothing else is said of it.
	 */
	INSN_MARKER = 1 << 6,
};

unsigned insn_facts(const uint8_t *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
