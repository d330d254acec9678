// SPDX-License-Identifier: BSD-2-Clause
#include "bench/meter/insn.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace
{

unsigned facts(std::initializer_list<uint8_t> bytes)
{
	// A copy of just these bytes, so that the sanitizers see a read behind them.
	std::vector<uint8_t> copy(bytes);
	return insn_facts(copy.data(), copy.size());
}

TEST(InsnTest, RegistersOnlyIsPlain)
{
	EXPECT_EQ(INSN_PLAIN, facts({0x48, 0x01, 0xd8}));             // add %rbx,%rax
	EXPECT_EQ(INSN_PLAIN, facts({0x48, 0x8d, 0x04, 0xc1}));       // lea (%rcx,%rax,8),%rax
	EXPECT_EQ(INSN_PLAIN, facts({0xb8, 1, 0, 0, 0}));             // mov $1,%eax
	EXPECT_EQ(INSN_PLAIN, facts({0x48, 0xf7, 0xd8}));             // neg %rax
	EXPECT_EQ(INSN_PLAIN, facts({0x0f, 0xb6, 0xc0}));             // movzbl %al,%eax
	EXPECT_EQ(INSN_PLAIN, facts({0x48, 0x0f, 0x44, 0xc1}));       // cmove %rcx,%rax
	EXPECT_EQ(INSN_PLAIN, facts({0x66, 0x0f, 0x1f, 0x44, 0, 0})); // nop
	EXPECT_EQ(INSN_PLAIN, facts({0x87, 0xd8}));                   // xchg %ebx,%eax
	EXPECT_EQ(INSN_PLAIN, facts({0xff, 0xc8}));                   // dec %eax
	EXPECT_EQ(INSN_PLAIN, facts({0x3d, 1, 0, 0, 0}));             // cmp $1,%eax
}

TEST(InsnTest, MemoryIsNotPlain)
{
	EXPECT_EQ(0U, facts({0x48, 0x01, 0x18}));       // add %rbx,(%rax)
	EXPECT_EQ(0U, facts({0x48, 0x8b, 0x04, 0xc1})); // mov (%rcx,%rax,8),%rax
	EXPECT_EQ(0U, facts({0x55}));                   // push %rbp
	EXPECT_EQ(0U, facts({0x5d}));                   // pop %rbp
	EXPECT_EQ(0U, facts({0xc3}));                   // ret
	EXPECT_EQ(0U, facts({0xe8, 0, 0, 0, 0}));       // call
	EXPECT_EQ(0U, facts({0xf3, 0xaa}));             // rep stosb
	EXPECT_EQ(0U, facts({0xff, 0x08}));             // decl (%rax)
	EXPECT_EQ(0U, facts({0xff, 0xd0}));             // call *%rax
	EXPECT_EQ(0U, facts({0x0f, 0xb6, 0x00}));       // movzbl (%rax),%eax
}

TEST(InsnTest, WhatMayFaultIsNotPlain)
{
	EXPECT_EQ(0U, facts({0x48, 0xf7, 0xf1})); // div %rcx
	EXPECT_EQ(0U, facts({0x0f, 0x0b}));       // ud2
	EXPECT_EQ(0U, facts({0xcc}));             // int3
	EXPECT_EQ(0U, facts({0x0f, 0x32}));       // rdmsr
	EXPECT_EQ(0U, facts({0x8e, 0xd8}));       // mov %eax,%ds
}

TEST(InsnTest, LockedWithAPrefixAndWithoutOne)
{
	EXPECT_EQ(INSN_LOCKED, facts({0xf0, 0xff, 0x00}));                   // lock incl (%rax)
	EXPECT_EQ(INSN_LOCKED, facts({0xf0, 0x48, 0x0f, 0xb1, 0x0a}));       // lock cmpxchg
	EXPECT_EQ(INSN_LOCKED, facts({0x2e, 0xf0, 0x48, 0x0f, 0xc1, 0x0a})); // lock xadd
	EXPECT_EQ(INSN_LOCKED, facts({0x48, 0x87, 0x07}));                   // xchg %rax,(%rdi)
	EXPECT_EQ(INSN_LOCKED, facts({0x86, 0x07}));                         // xchg %al,(%rdi)
	EXPECT_EQ(0U, facts({0x48, 0x0f, 0xb1, 0x0a}));                      // cmpxchg
	EXPECT_EQ(0U, facts({0x0f, 0x86, 1, 2, 3, 4}));                      // jbe, map 0f
}

TEST(InsnTest, ChangesOfTranslation)
{
	EXPECT_EQ(INSN_TRANSLATION, facts({0x0f, 0x22, 0xd8}));             // mov %rax,%cr3
	EXPECT_EQ(INSN_TRANSLATION, facts({0x0f, 0x01, 0x38}));             // invlpg (%rax)
	EXPECT_EQ(INSN_TRANSLATION, facts({0x66, 0x0f, 0x38, 0x82, 0x08})); // invpcid
	EXPECT_EQ(0U, facts({0x0f, 0x01, 0xf8}));                           // swapgs
	EXPECT_EQ(0U, facts({0x0f, 0x01, 0x10}));                           // lgdt (%rax)
	EXPECT_EQ(0U, facts({0x0f, 0x20, 0xd8}));                           // mov %cr3,%rax
}

TEST(InsnTest, InterruptCommandsByMsr)
{
	EXPECT_EQ(INSN_WRMSR, facts({0x0f, 0x30}));
	EXPECT_EQ(INSN_ECX_ICR, facts({0xb9, 0x30, 0x08, 0, 0}));
	EXPECT_EQ(INSN_ECX_OTHER, facts({0xb9, 0x30, 0x08, 1, 0}));
}

TEST(InsnTest, Markers)
{
	EXPECT_EQ(INSN_MARKER, facts({0x0f, 0x1f, 0x80, 1, 255, 0x52, 0x51}));
	EXPECT_EQ(INSN_MARKER, facts({0x0f, 0x1f, 0x80, 3, 0, 0x52, 0x51}));
	EXPECT_EQ(INSN_PLAIN, facts({0x0f, 0x1f, 0x80, 0, 0, 0x52, 0x51}));
	EXPECT_EQ(INSN_PLAIN, facts({0x0f, 0x1f, 0x80, 4, 0, 0x52, 0x51}));
	EXPECT_EQ(INSN_PLAIN, facts({0x0f, 0x1f, 0x80, 0, 0, 0, 0}));
}

TEST(InsnTest, CutOffBytesSayNothing)
{
	EXPECT_EQ(0U, facts({0xf0}));
	EXPECT_EQ(0U, facts({0x48}));
	EXPECT_EQ(0U, facts({0x0f}));
	EXPECT_EQ(0U, facts({0x0f, 0x38}));
	EXPECT_EQ(0U, facts({0x01}));
}

} // namespace
