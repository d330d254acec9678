/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The immediate shootdown of smp/shootdown.c as a model for Spin; the numbers of the steps are
 * those of its theory.
 *
 * CPUs 0 and 1 free a page each, at the same time; CPU 2 comes online meanwhile. The hardware of
 * every CPU may fill a translation of a mapped page at any moment (a speculative walk).
 *
 * The claim: when a page is given back, no CPU that uses memory holds a translation of it; and a
 * CPU that begins to use memory holds none of a page that was given back. The page is not mapped
 * from then on, so none can appear later.
 *
 * Each macro BREAK_* leaves one rule of the protocol out; every one of them must be refuted.
 */
#define CPUS  3
#define PAGES 2
#define LATE  2 /* the CPU that comes online */

bit pte[PAGES];   /* the page is mapped */
bit freed[PAGES]; /* it was given back */
bit online[CPUS];
bit uses[CPUS]; /* the CPU is past its first flush, and uses memory */

bit inbox[CPUS * PAGES];   /* of target t: the initiator i waits for it */
bit pending[CPUS * PAGES]; /* of initiator i: target t has not acknowledged */
bit tlb[CPUS * PAGES];     /* CPU c holds the translation of page p */

#define AT(c, p) ((c) * PAGES + (p))

/* What a CPU's hardware does unasked. */
proctype walker(byte c)
{
end:	do
	:: atomic { pte[0] && !tlb[AT(c, 0)] -> tlb[AT(c, 0)] = 1 }
	:: atomic { pte[1] && !tlb[AT(c, 1)] -> tlb[AT(c, 1)] = 1 }
	od
}

/* The interrupt handler of CPU c. */
proctype target(byte c)
{
	bit take0, take1;

end:	do
	:: atomic {
		online[c] && (inbox[AT(c, 0)] || inbox[AT(c, 1)]) ->
#ifndef BREAK_TAKE_BEFORE_FLUSH
		/* 5: the whole word at once */
		take0 = inbox[AT(c, 0)];
		take1 = inbox[AT(c, 1)];
		inbox[AT(c, 0)] = 0;
		inbox[AT(c, 1)] = 0
#endif
	   };
#ifdef BREAK_FLUSH_BEFORE_ACK
	   if :: take0 -> pending[AT(c, 0)] = 0 :: else fi;
	   if :: take1 -> pending[AT(c, 1)] = 0 :: else fi;
#endif
#ifdef BREAK_TAKE_BEFORE_FLUSH
	   d_step { take0 = inbox[AT(c, 0)]; take1 = inbox[AT(c, 1)] };
#endif
	   /* 6 */
	   if :: take0 -> tlb[AT(c, 0)] = 0 :: else fi;
	   if :: take1 -> tlb[AT(c, 1)] = 0 :: else fi;
#ifdef BREAK_TAKE_BEFORE_FLUSH
	   /* A request that came during the flush is acknowledged with the others. */
	   d_step {
		take0 = inbox[AT(c, 0)];
		take1 = inbox[AT(c, 1)];
		inbox[AT(c, 0)] = 0;
		inbox[AT(c, 1)] = 0
	   };
#endif
	   /* 7 */
	   if :: take0 -> pending[AT(c, 0)] = 0 :: else fi;
	   if :: take1 -> pending[AT(c, 1)] = 0 :: else fi;
	   take0 = 0;
	   take1 = 0
	od
}

/* CPU c frees page c. */
proctype initiator(byte c)
{
	byte t;
	bit wanted[CPUS];

#ifndef BREAK_CLEAR_BEFORE_SET
	pte[c] = 0; /* 0 and 1 */
#endif
	d_step { /* 2 */
		t = 0;
		do
		:: t < CPUS -> wanted[t] = online[t] && t != c; t++
		:: else -> break
		od;
#ifdef BREAK_ALL_TARGETS
		/* the last one is forgotten */
		if
		:: wanted[2] -> wanted[2] = 0
		:: else -> wanted[1 - c] = 0
		fi;
#endif
		t = 0
	};
#ifdef BREAK_CLEAR_BEFORE_SET
	pte[c] = 0;
#endif
	d_step { /* 3 */
		do
		:: t < CPUS -> pending[AT(t, c)] = wanted[t]; t++
		:: else -> t = 0; break
		od
	};
	do /* 4 */
	:: t < CPUS -> if :: wanted[t] -> inbox[AT(t, c)] = 1 :: else fi; t++
	:: else -> t = 0; break
	od;
#ifndef BREAK_OWN_FLUSH
	tlb[AT(c, c)] = 0; /* 8 */
#endif
#ifndef BREAK_WAIT
	/* 9 */
	!pending[AT(0, c)] && !pending[AT(1, c)] && !pending[AT(2, c)];
#endif
	d_step {
		freed[c] = 1;
		do
		:: t < CPUS -> assert(!(uses[t] && tlb[AT(t, c)])); t++
		:: else -> t = 0; break
		od
	}
}

/* CPU LATE comes online. */
proctype joiner()
{
#ifdef BREAK_ONLINE_BEFORE_FLUSH
	d_step { tlb[AT(LATE, 0)] = 0; tlb[AT(LATE, 1)] = 0 };
	online[LATE] = 1;
#else
	online[LATE] = 1;
	d_step { tlb[AT(LATE, 0)] = 0; tlb[AT(LATE, 1)] = 0 };
#endif
	d_step {
		uses[LATE] = 1;
		assert(!(freed[0] && tlb[AT(LATE, 0)]) && !(freed[1] && tlb[AT(LATE, 1)]))
	}
}

init
{
	atomic {
		pte[0] = 1; pte[1] = 1;
		online[0] = 1; online[1] = 1;
		uses[0] = 1; uses[1] = 1;
		run walker(0); run walker(1); run walker(2);
		run target(0); run target(1); run target(2);
		run initiator(0); run initiator(1);
		run joiner()
	}
}
