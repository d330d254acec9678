/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops of known cost for the meter's test: each case does what its comment says and nothing
 * else between its markers, so ../meter_test.sh can demand exact figures. The time stamp counter
 * around the cases of one CPU goes to the serial port, to be compared under QEMU's -icount.
 */
#include "bench/meter/marker.h"

#include <stdbool.h>
#include <stdint.h>

#define PAGE       4096
#define WINDOW     0x40000000UL /* two small pages: the first is remapped, the second never present */
#define APIC       0xfee00000UL
#define TRAMPOLINE 0x8000UL
#define LINES      64
#define ROUNDS     100

extern const char trampoline[], trampoline_end[], skip_7_bytes[];
extern uint64_t window_table[512];
void guest_main(uint64_t cpu);

static uint8_t pages[3][PAGE] __attribute__((aligned(PAGE)));
static uint64_t idt[256][2] __attribute__((aligned(16)));
static volatile uint32_t phase __attribute__((aligned(64))); /* which step of the two may go on */
static volatile uint32_t turn __attribute__((aligned(64)));
volatile uint64_t tsc_begin, tsc_end; /* named in assembly */
static uint32_t word __attribute__((aligned(64)));

static void out_byte(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void print(const char *text)
{
	for (; *text != '\0'; text++)
		out_byte(0x3f8, (uint8_t)*text);
}

static void print_number(uint64_t n)
{
	char digits[21], *p = &digits[20];

	*p = '\0';
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	print(p);
}

/*
 * One sample: a single asm statement from marker to marker, so that the compiler puts nothing of
 * its own between them. The arguments behind the text are its operands.
 */
#define MARKER(kind, index) ".byte 0x0f, 0x1f, 0x80, " #kind ", " #index ", 0x52, 0x51\n"
#define SAMPLE(index, text, ...)                                                                   \
	__asm__ volatile(MARKER(1, index) text "\n" MARKER(2, index) __VA_ARGS__)

/* Reads the time stamp counter into a variable and leaves every register as it was. */
#define STAMP(variable)                                                                            \
	"pushq %%rax; pushq %%rdx; rdtsc; movl %%eax, " #variable "; movl %%edx, " #variable       \
	"+4; popq %%rdx; popq %%rax\n"

/* The same with the time stamp counter around it, at the same cost for every case. */
#define CASE(index, text, ...)                                                                     \
	do {                                                                                       \
		__asm__ volatile(STAMP(tsc_begin) MARKER(1, index) text "\n" MARKER(2, index)      \
				     STAMP(tsc_end) __VA_ARGS__);                                  \
		print("tsc: case=" #index " ticks=");                                              \
		print_number(tsc_end - tsc_begin);                                                 \
		print("\n");                                                                       \
	} while (0)

static void registers_and_memory(void)
{
	uint64_t n = 1000, value = 1;

	CASE(0, "", : : : "memory");
	/* 2000 instructions */
	CASE(1, "1: decq %0; jnz 1b", : "+r"(n));
	/* 100 instructions, locked, each a load and a store */
	CASE(2, ".rept 100; lock incl %0; .endr", : "+m"(word));
	/* 100 instructions that load */
	CASE(3, ".rept 100; movl %1, %k0; .endr", : "=r"(value) : "m"(word));
	/* 100 instructions that store */
	CASE(4, ".rept 100; movl %k1, %0; .endr", : "=m"(word) : "r"(value));
	/* 50 XCHG with memory, and as many between registers, which are not locked */
	CASE(5, ".rept 50; xchgl %k0, %1; xchgl %k0, %k2; .endr",
	     : "+r"(value), "+m"(word), "+r"(n));
	/* INC of memory without LOCK: 10 instructions, loads and stores */
	CASE(6, ".rept 10; incl %0; .endr", : "+m"(word));
}

static void strings(void)
{
	void *to = pages[2];
	uint64_t n = 64;

	/* 64 stores; one instruction for each and one for the end */
	CASE(7, "rep stosb", : "+D"(to), "+c"(n) : "a"(0) : "memory");
}

static void interrupt_commands(void)
{
	volatile uint32_t *high = (volatile uint32_t *)(APIC + 0x310);
	volatile uint32_t *low = (volatile uint32_t *)(APIC + 0x300);
	uint32_t low_value = 0x4030, high_value = 0x7e000000; /* to an APIC that is not there */
	volatile uint32_t *decoy = (volatile uint32_t *)&pages[2][0x300];

	/* 4 instructions that store, 3 of them to APIC registers, 2 of these interrupt commands */
	CASE(8, "movl %3, %0; movl %4, %1; movl %4, %1; movl %4, %2",
	     : "=m"(*high), "=m"(*low), "=m"(*decoy)
	     : "r"(high_value), "r"(low_value));
	/* 6 instructions, two of them WRMSR, one of these to the x2APIC's command register */
	CASE(9,
	     "movl $0x830, %%ecx; xorl %%eax, %%eax; wrmsr;"
	     "movl $0x80f, %%ecx; xorl %%eax, %%eax; wrmsr",
	     :
	     : "d"(0)
	     : "eax", "ecx");
}

/* A fault in the middle of a block: what stands behind it is executed, and counted, once. */
static void fault(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) reg = {sizeof(idt) - 1, (uint64_t)idt};
	uint64_t handler = (uint64_t)skip_7_bytes;

	idt[14][0] =
	    (handler & 0xffff) | 0x18UL << 16 | 0x8e00UL << 32 | (handler & 0xffff0000) << 32;
	idt[14][1] = handler >> 32;
	__asm__ volatile("lidt %0" : : "m"(reg));
	/* 1 that faults, 3 of the handler, 10 behind */
	CASE(10, "movl %%eax, %c0; .rept 10; incl %%ecx; .endr",
	     :
	     : "i"(WINDOW + PAGE)
	     : "ecx", "memory");
}

/* Samples within a sample, and an end without a begin. */
static void nesting(void)
{
	METER_MARK(METER_BEGIN, 11);
	meter_begin(12);
	meter_end(12);
	meter_begin(12);
	meter_end(12);
	METER_MARK(METER_END, 11);
	METER_MARK(METER_END, 13);
}

/* ---- two CPUs ---- */

/* Both CPUs go through the same numbered steps in turn. */
static void wait_for(uint32_t step)
{
	while (phase != step)
		__asm__ volatile("pause");
}

/* 256 instructions, 64 lines. */
#define READ_LINES(index, page)  touch_lines(index, page, "movl (%0), %%eax")
#define WRITE_LINES(index, page) touch_lines(index, page, "movl %%eax, (%0)")
#define touch_lines(index, page, access)                                                           \
	do {                                                                                       \
		void *at = (page);                                                                 \
		uint64_t n = LINES;                                                                \
		SAMPLE(index, "1: " access "; addq $64, %0; decq %1; jnz 1b",                      \
		       : "+r"(at), "+r"(n)                                                         \
		       :                                                                           \
		       : "eax", "memory");                                                         \
	} while (0)

static void map_window(void *page)
{
	window_table[0] = (uint64_t)page | 3;
	__asm__ volatile("invlpg (%0)" : : "r"(WINDOW) : "memory");
}

static void ping_pong(uint32_t self)
{
	uint32_t round;

	for (round = 0; round < ROUNDS; round++) {
		while (turn != self)
			__asm__ volatile("pause");
		turn = 1 - self;
	}
}

static void first_cpu_steps(void)
{
	WRITE_LINES(20, pages[0]); /* nobody had them: no transfer */
	phase = 1;
	wait_for(2);
	READ_LINES(23, pages[0]);  /* both hold them: none */
	WRITE_LINES(24, pages[0]); /* taken back: 64 */
	WRITE_LINES(25, pages[0]); /* held alone: none */
	phase = 3;
	wait_for(4);
	phase = 5;
	METER_MARK(METER_BEGIN, 30);
	ping_pong(
	    0); /* a read and a write of the line per round; the first read finds it unwritten */
	METER_MARK(METER_END, 30);
	wait_for(6);
}

static void second_cpu_steps(void)
{
	uint32_t *across = (uint32_t *)&pages[0][62];

	wait_for(1);
	READ_LINES(21, pages[0]); /* written by the other: 64 */
	READ_LINES(22, pages[0]); /* held by now: none */
	phase = 2;

	wait_for(3);
	map_window(pages[1]);
	READ_LINES(26, (void *)WINDOW); /* never written: none */
	map_window(pages[0]);
	READ_LINES(27, (void *)WINDOW); /* the first CPU's page at another address: 64 */
	/* A load that touches two lines, both held by both CPUs; a store that takes both. */
	SAMPLE(28, "movl %0, %%eax; movl %%eax, %0", : "+m"(*across) : : "eax");
	(void)turn;
	phase = 4;

	wait_for(5);
	METER_MARK(METER_BEGIN, 31);
	ping_pong(1);
	METER_MARK(METER_END, 31);
	phase = 6;
}

static unsigned cpus(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return (b >> 16) & 0xff;
}

static void start_second_cpu(void)
{
	volatile uint32_t *icr = (volatile uint32_t *)(APIC + 0x300);
	const char *from;
	volatile char *to = (volatile char *)TRAMPOLINE;

	for (from = trampoline; from < trampoline_end; from++)
		*to++ = *from;
	icr[4] = 1U << 24;
	icr[0] = 0x4500; /* INIT */
	icr[4] = 1U << 24;
	icr[0] = 0x4600 | TRAMPOLINE / PAGE; /* start-up */
}

void guest_main(uint64_t cpu)
{
	if (cpu == 1) {
		second_cpu_steps();
		for (;;)
			__asm__ volatile("cli; hlt");
	}
	METER_MARK(METER_PRINT, 0);
	print("begin\n"); /* counting starts with the next block */
	registers_and_memory();
	strings();
	interrupt_commands();
	fault();
	nesting();
	if (cpus() > 1) {
		start_second_cpu();
		first_cpu_steps();
	}
	METER_MARK(METER_PRINT, 0);
	print("done\n");
	out_byte(0xf4, 16);
	for (;;)
		__asm__ volatile("cli; hlt");
}
