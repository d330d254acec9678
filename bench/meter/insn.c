/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/meter/insn.h"

#include <stdbool.h>

enum {
	MARKER_SIZE = 7,
	X2APIC_ICR = 0x830,
};

/* One instruction, taken apart as far as its ModRM byte. */
struct insn {
	bool lock;
	bool operand_size; /* prefix 66 */
	unsigned map;      /* 0: one byte; 1: 0f; 2: 0f 38; 3: 0f 3a */
	uint8_t opcode;
	bool has_modrm; /* a byte follows the opcode; whether it is a ModRM depends on the opcode */
	uint8_t modrm;
	const uint8_t *rest; /* what follows the opcode */
	size_t rest_size;
};

static bool is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26: /* segments */
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66:
	case 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return true;
	default:
		return false;
	}
}

static bool insn_split(struct insn *insn, const uint8_t *bytes, size_t size)
{
	size_t i = 0;

	*insn = (struct insn){0};
	for (; i < size && is_prefix(bytes[i]); i++) {
		insn->lock |= bytes[i] == 0xf0;
		insn->operand_size |= bytes[i] == 0x66;
	}
	if (i < size && (bytes[i] & 0xf0) == 0x40) /* REX */
		i++;
	if (i < size && bytes[i] == 0x0f) {
		insn->map = 1;
		i++;
		if (i < size && (bytes[i] == 0x38 || bytes[i] == 0x3a))
			insn->map = bytes[i++] == 0x38 ? 2 : 3;
	}
	if (i == size)
		return false;
	insn->opcode = bytes[i++];
	insn->rest = bytes + i;
	insn->rest_size = size - i;
	insn->has_modrm = i < size;
	insn->modrm = insn->has_modrm ? bytes[i] : 0;
	return true;
}

static bool on_registers(const struct insn *insn)
{
	return insn->has_modrm && insn->modrm >= 0xc0;
}

static bool on_memory(const struct insn *insn)
{
	return insn->has_modrm && insn->modrm < 0xc0;
}

/* One-byte opcodes that compute on registers, or would if their operand were one. */
static bool computes(uint8_t opcode)
{
	if (opcode < 0x40)
		return (opcode & 7) < 4; /* ADD OR ADC SBB AND SUB XOR CMP */
	switch (opcode) {
	case 0x63: /* MOVSXD */
	case 0x69: /* IMUL */
	case 0x6b:
	case 0x80: /* immediate forms of the eight above */
	case 0x81:
	case 0x83:
	case 0x84: /* TEST */
	case 0x85:
	case 0x86: /* XCHG */
	case 0x87:
	case 0x88: /* MOV */
	case 0x89:
	case 0x8a:
	case 0x8b:
	case 0xc0: /* shifts */
	case 0xc1:
	case 0xc6: /* MOV immediate */
	case 0xc7:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return true;
	default:
		return false;
	}
}

static bool is_plain_one_byte(const struct insn *insn)
{
	uint8_t opcode = insn->opcode;
	uint8_t extension = (insn->modrm >> 3) & 7;

	if (opcode < 0x40 && ((opcode & 7) == 4 || (opcode & 7) == 5)) /* AL/EAX, immediate */
		return true;
	if (opcode >= 0xb0 && opcode <= 0xbf) /* MOV immediate */
		return true;
	if (opcode == 0x90 || opcode == 0x98 || opcode == 0x99 || opcode == 0xa8 || opcode == 0xa9)
		return true; /* NOP, CBW, CWD, TEST immediate */
	if (opcode == 0x8d)  /* LEA */
		return on_memory(insn);
	if (!on_registers(insn))
		return false;
	if (opcode == 0xf6 || opcode == 0xf7) /* TEST NOT NEG MUL IMUL, not DIV IDIV */
		return extension < 6;
	if (opcode == 0xfe || opcode == 0xff) /* INC DEC, not CALL JMP PUSH */
		return extension < 2;
	return computes(opcode);
}

static bool is_plain_two_byte(const struct insn *insn)
{
	uint8_t opcode = insn->opcode;

	if (opcode == 0x1f || opcode == 0x1e) /* NOP, ENDBR, with an operand that is never read */
		return true;
	if (opcode >= 0xc8 && opcode <= 0xcf) /* BSWAP */
		return true;
	if (!on_registers(insn))
		return false;
	if ((opcode & 0xf0) == 0x40 || (opcode & 0xf0) == 0x90) /* CMOVcc, SETcc */
		return true;
	switch (opcode) {
	case 0xa3: /* BT BTS BTR BTC */
	case 0xab:
	case 0xb3:
	case 0xba:
	case 0xbb:
	case 0xa4: /* SHLD SHRD */
	case 0xa5:
	case 0xac:
	case 0xad:
	case 0xaf: /* IMUL */
	case 0xb6: /* MOVZX MOVSX */
	case 0xb7:
	case 0xbe:
	case 0xbf:
	case 0xb8: /* POPCNT */
	case 0xbc: /* BSF BSR, TZCNT LZCNT */
	case 0xbd:
		return true;
	default:
		return false;
	}
}

static bool is_plain(const struct insn *insn)
{
	if (insn->lock) /* #UD on registers */
		return false;
	switch (insn->map) {
	case 0:
		return is_plain_one_byte(insn);
	case 1:
		return is_plain_two_byte(insn);
	default:
		return false;
	}
}

static bool is_locked(const struct insn *insn)
{
	bool xchg = insn->map == 0 && (insn->opcode == 0x86 || insn->opcode == 0x87);

	return insn->lock || (xchg && on_memory(insn));
}

static bool changes_translation(const struct insn *insn)
{
	if (insn->map == 1 && insn->opcode == 0x01) /* INVLPG */
		return on_memory(insn) && ((insn->modrm >> 3) & 7) == 7;
	if (insn->map == 1)
		return insn->opcode == 0x22 || insn->opcode == 0xaa;         /* MOV to CR, RSM */
	return insn->map == 2 && insn->opcode == 0x82 && insn->operand_size; /* INVPCID */
}

static unsigned ecx_facts(const struct insn *insn)
{
	uint32_t value;

	if (insn->map != 0 || insn->opcode != 0xb9 || insn->rest_size < 4)
		return 0;
	value = insn->rest[0] | (uint32_t)insn->rest[1] << 8 | (uint32_t)insn->rest[2] << 16 |
		(uint32_t)insn->rest[3] << 24;
	return value == X2APIC_ICR ? INSN_ECX_ICR : INSN_ECX_OTHER;
}

static bool is_marker(const uint8_t *bytes, size_t size)
{
	return size == MARKER_SIZE && bytes[0] == 0x0f && bytes[1] == 0x1f && bytes[2] == 0x80 &&
	       bytes[5] == 0x52 && bytes[6] == 0x51 && bytes[3] >= 1 && bytes[3] <= 3;
}

unsigned insn_facts(const uint8_t *bytes, size_t size)
{
	struct insn insn;
	unsigned facts = 0;

	if (is_marker(bytes, size))
		return INSN_MARKER;
	if (!insn_split(&insn, bytes, size))
		return 0;
	facts |= ecx_facts(&insn);
	facts |= facts == 0 && is_plain(&insn) ? INSN_PLAIN : 0;
	facts |= is_locked(&insn) ? INSN_LOCKED : 0;
	facts |= changes_translation(&insn) ? INSN_TRANSLATION : 0;
	facts |= insn.map == 1 && insn.opcode == 0x30 ? INSN_WRMSR : 0;
	return facts;
}
