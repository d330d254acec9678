/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The deferred shootdown of smp/tlb.c as a model for Spin.
 *
 * CPU 0 frees two pages, one after the other, each in one of two ways. Deferred: it clears the
 * entry, begins a generation, and gives the page back when each CPU that is online has passed that
 * generation or is lazy. At once: it clears the entry, marks as stale those that are lazy, asks the
 * others that are online (as in shootdown.pml), and waits for them. CPU 1 ticks, idles and comes
 * back as often as it likes; CPU 2 comes online meanwhile and then does the same.
 * The hardware of every CPU may fill a translation of a mapped page at any moment (a speculative
 * walk), also while the CPU is lazy or not yet online. Generations have three bits and begin two
 * before their maximum, so they wrap.
 *
 * The claim: when a page is given back, no CPU that uses memory holds a translation of it; and a
 * CPU that begins to use memory holds none of a page that was given back.
 *
 * Each macro BREAK_* leaves one rule of the protocol out; every one of them must be refuted.
 */
#define CPUS  3
#define PAGES 2
#define LATE  2 /* the CPU that comes online */
#define FIRST 6 /* generation */

bit pte[PAGES];   /* the page is mapped */
bit freed[PAGES]; /* it was given back */
bit tlb[CPUS * PAGES];
byte generation;  /* of the machine */
byte seen[CPUS];  /* what each CPU has passed */
bit online[CPUS];
bit lazy[CPUS];   /* what it says of itself */
bit stale[CPUS];  /* what others say of it while it is lazy, in the same word */
bit pending[CPUS]; /* CPU 0 waits for it */
byte asked;       /* page that CPU 0 asks about */
bit uses[CPUS];   /* it may touch what is not mapped for ever */

#define AT(c, p)    ((c) * PAGES + (p))
#define NEXT(g)     (((g) + 1) & 7)
#ifdef BREAK_DISTANCE
#define REACHED(s, g) ((s) >= (g)) /* compared as numbers */
#else
#define REACHED(s, g) ((((s) - (g)) & 7) < 4)
#endif

/* Nothing that was given back is within reach of c. */
#define SAFE(c) (!(freed[0] && tlb[AT(c, 0)]) && !(freed[1] && tlb[AT(c, 1)]))

/* What a CPU's hardware does unasked. */
proctype walker(byte c)
{
end:	do
	:: atomic { pte[0] && !tlb[AT(c, 0)] -> tlb[AT(c, 0)] = 1 }
	:: atomic { pte[1] && !tlb[AT(c, 1)] -> tlb[AT(c, 1)] = 1 }
	od
}

inline flush(c)
{
	d_step { tlb[AT(c, 0)] = 0; tlb[AT(c, 1)] = 0 }
}

/* Reads, flushes, publishes; nothing if there is no new generation and it need not. */
inline catch_up(c, g, must)
{
	g = generation;
	if
	:: g == seen[c] && !must
	:: else ->
#ifdef BREAK_FLUSH_BEFORE_PUBLISH
	   seen[c] = g;
#endif
	   flush(c);
#ifdef BREAK_READ_BEFORE_FLUSH
	   g = generation;
#endif
	   seen[c] = g
	fi;
	g = 0;
	must = 0
}

inline join(c, g)
{
#ifndef BREAK_JOIN_BEHIND
	seen[c] = generation;
#endif
#ifndef BREAK_ONLINE_BEFORE_FLUSH
	online[c] = 1;
#endif
	g = generation;
#ifndef BREAK_JOIN_FLUSH
	flush(c);
#endif
	seen[c] = g;
#ifdef BREAK_ONLINE_BEFORE_FLUSH
	online[c] = 1;
#endif
	g = 0;
	atomic { uses[c] = 1; assert(SAFE(c)) }
}

/* Reads its word and becomes active, in one step. */
inline leave(c, must)
{
	atomic {
#ifndef BREAK_MARK_LOOKED_AT
		must = stale[c];
#endif
		lazy[c] = 0;
		stale[c] = 0
	}
}

proctype worker(byte c)
{
	byte g;
	bit must;

	if
	:: c == LATE -> join(c, g)
	:: else
	fi;
end:	do
	/* a tick, or the interrupt of somebody who does not wait for it */
	:: seen[c] != generation -> catch_up(c, g, must)
	/* the interrupt of a shootdown */
	:: pending[c] -> tlb[AT(c, asked)] = 0; pending[c] = 0
	/* the idle loop, until an interrupt */
	:: atomic { lazy[c] = 1; uses[c] = 0 };
#ifdef BREAK_AWAKE_BEFORE_READ
	   atomic { must = stale[c]; stale[c] = 0 };
	   catch_up(c, g, must);
#endif
	   leave(c, must);
#if !defined(BREAK_CATCH_UP) && !defined(BREAK_AWAKE_BEFORE_READ)
	   catch_up(c, g, must);
#endif
	   atomic { uses[c] = 1; assert(SAFE(c)) }
	od
}

/*
 * A non-maskable interrupt comes to CPU 1 at any moment, and so while it is lazy. Its handler
 * touches what is mapped for ever, of which the model knows nothing.
 */
proctype nmi()
{
#ifdef BREAK_PERMANENT_ONLY
	assert(SAFE(1))
#else
	skip
#endif
}

inline give_back(p)
{
	d_step {
		freed[p] = 1;
		assert((!uses[0] || SAFE(0)) && (!uses[1] || SAFE(1)) && (!uses[2] || SAFE(2)))
	}
}

inline free_deferred(p, gen, t, must)
{
#ifdef BREAK_CLEAR_BEFORE_GENERATION
	generation = NEXT(generation);
	gen = generation;
	pte[p] = 0;
#else
	pte[p] = 0;
	generation = NEXT(generation);
	gen = generation;
#endif
#ifdef BREAK_OWN_FLUSH
	seen[0] = gen;
#else
	catch_up(0, t, must);
#endif
	t = 1;
	do
	:: t < CPUS ->
#ifdef BREAK_ALL_CPUS
	   if :: t == CPUS - 1 :: else -> REACHED(seen[t], gen) || lazy[t] || !online[t] fi;
#else
#ifndef BREAK_WAIT
	   REACHED(seen[t], gen) || lazy[t] || !online[t];
#endif
#endif
	   t++
	:: else -> break
	od;
	t = 0;
	gen = 0;
	give_back(p)
}

/* A CPU that is lazy when it is looked at is marked, and not asked. */
inline mark_or_ask(t)
{
	if
	:: atomic {
		lazy[t] ->
#if !defined(BREAK_MARK) && !defined(BREAK_MARK_IN_ONE_STEP)
		stale[t] = 1
#endif
	   }
#ifdef BREAK_MARK_IN_ONE_STEP
	   ; atomic { lazy[t] = 1; stale[t] = 1 }
#endif
	:: atomic { !lazy[t] -> pending[t] = 1 }
	fi
}

inline free_at_once(p, t)
{
	pte[p] = 0;
	asked = p;
	t = 1;
	do
	:: t < CPUS -> if :: online[t] -> mark_or_ask(t) :: !online[t] fi; t++
	:: else -> break
	od;
	t = 0;
	tlb[AT(0, p)] = 0;
	!pending[1] && !pending[2];
	give_back(p)
}

proctype owner()
{
	byte gen, t;
	bit must;

	if :: free_deferred(0, gen, t, must) :: free_at_once(0, t) fi;
	if :: free_deferred(1, gen, t, must) :: free_at_once(1, t) fi
}

init
{
	atomic {
		pte[0] = 1; pte[1] = 1;
		generation = FIRST; seen[0] = FIRST; seen[1] = FIRST;
		online[0] = 1; online[1] = 1;
		uses[0] = 1; uses[1] = 1;
		run walker(0); run walker(1); run walker(2);
		run worker(1); run worker(2);
		run nmi();
		run owner()
	}
}
