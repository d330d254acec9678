/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Marks in the instruction stream that the meter (meter.c) sees and nothing else does.
 *
 * A marker is the seven-byte NOP `0f 1f 80 KK II 52 51` (nopl disp32(%rax), Intel SDM vol. 2,
 * NOP): without the plugin it costs one instruction and changes nothing. KK is the kind, II the
 * number of the case, 0 to 255. What runs on this CPU behind a begin and before the end with the
 * same number is one sample of that case; neither marker counts. Samples of different cases may
 * nest; two of the same case on one CPU may not. Case 0 is the empty sample, by which the reader
 * of the figures subtracts what the way in and out of a sample costs.
 *
 * Context: any, interrupts included; x86-64 only. The header includes nothing, so that Quire's
 * kernel and a Linux module can both use it.
 */
#ifndef QUIRE_BENCH_METER_MARKER_H
#define QUIRE_BENCH_METER_MARKER_H

#define METER_BEGIN 1 /* a sample of case II begins on this CPU */
#define METER_END   2 /* and ends */
#define METER_PRINT 3 /* write the totals of every CPU and case to the meter's file now */

/* Case numbers: 0 to 255. By convention case N with all CPUs at work is N | METER_CASE_ALL. */
#define METER_CASES    256
#define METER_CASE_ALL 0x80

/* Both constants. The compiler moves no access to memory across it. */
#define METER_MARK(kind, index)                                                                    \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x80, %c0, %c1, 0x52, 0x51"                            \
			 :                                                                         \
			 : "i"(kind), "i"(index)                                                   \
			 : "memory")

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The same for a number that is known only at run time (marker.S); its low 8 bits count. Both cost
 * a few instructions, the same for every number, so the empty sample calibrates them away if it
 * uses them as well.
 */
void meter_begin(unsigned index);
void meter_end(unsigned index);

#ifdef __cplusplus
}
#endif

#endif
