/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of named values: read and set from the shell, from the kernel's command line and from
 * tests, with declarations in the form of FreeBSD's sysctl(9).
 *
 *	static unsigned daemon_pace = 10;
 *	static SYSCTL_UINT(pace_node, "vm.daemon.pace", SYSCTL_RW, &daemon_pace, "rounds a second");
 *	sysctl_register(&pace_node);
 *
 * Nodes are the declarer's memory, registered at start and for good; a dotted name finds them.
 */
#ifndef QUIRE_KERNEL_REGISTRY_SYSCTL_H
#define QUIRE_KERNEL_REGISTRY_SYSCTL_H

#include <bsd/sys/queue.h>

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum sysctl_type {
	SYSCTL_TYPE_INT,    /* int */
	SYSCTL_TYPE_UINT,   /* unsigned */
	SYSCTL_TYPE_U64,    /* uint64_t */
	SYSCTL_TYPE_BOOL,   /* bool */
	SYSCTL_TYPE_STRING, /* char[], ended with 0 */
};

/* Access; SYSCTL_HEX is added for numbers that are printed as hexadecimal. */
enum { SYSCTL_RD = 1, SYSCTL_WR = 2, SYSCTL_RW = 3, SYSCTL_HEX = 4 };

enum {
	SYSCTL_NAME_MAX = 64,  /* bytes of a name with its final 0 */
	SYSCTL_TEXT_MAX = 256, /* of a printed value; longer strings are cut, and cannot be set */
};

enum sysctl_status {
	SYSCTL_OK,
	SYSCTL_UNKNOWN, /* no such name */
	SYSCTL_READ_ONLY,
	SYSCTL_MALFORMED,    /* not a value of the type */
	SYSCTL_OUT_OF_RANGE, /* a number that the type cannot hold, a string that does not fit */
	SYSCTL_REFUSED,      /* the handler did not want this value */
};

struct sysctl_oid;

/*
 * Gives (read) or takes (write) a value in place of `data`. Numbers are in *value: 0 or 1 for a
 * bool, sign-extended for an int, and in a write within the range of the type. Strings are in
 * `text`, ended with 0; text_size is the room for a read. Thread context, nothing locked; may
 * sleep; calls from several threads may overlap.
 */
typedef enum sysctl_status sysctl_handler(struct sysctl_oid *oid, bool write, uint64_t *value,
					  char *text, size_t text_size);

/* (c) constant  (l) the tree's lock */
struct sysctl_oid {
	const char *name;        /* (c) full, dotted: "vm.min_kernel_address" */
	const char *description; /* (c) one line */
	enum sysctl_type type;   /* (c) */
	uint8_t access;          /* (c) SYSCTL_RD or SYSCTL_RW, with SYSCTL_HEX */
	void *data;              /* (c) the value, or NULL with a handler; size follows the type */
	size_t data_size;        /* (c) of a string's buffer */
	sysctl_handler *handler; /* (c) NULL: data is read and written directly */
	void *arg;               /* (c) for the handler */
	TAILQ_ENTRY(sysctl_oid) link; /* (l) by name */
};

/*
 * Definitions of nodes, in C17 and C++17; `static` may stand before them. A pointer to another
 * type than the node's does not compile. Reads and writes hold the tree's lock, which the owner
 * does not: what other CPUs use while it may change needs a handler.
 */
#define SYSCTL_INT(var, name, access, data, descr)                                                 \
	SYSCTL_NODE(var, name, SYSCTL_TYPE_INT, access, SYSCTL_TYPED(int, data), 0, NULL, NULL,    \
		    descr)
#define SYSCTL_UINT(var, name, access, data, descr)                                                \
	SYSCTL_NODE(var, name, SYSCTL_TYPE_UINT, access, SYSCTL_TYPED(unsigned, data), 0, NULL,    \
		    NULL, descr)
#define SYSCTL_U64(var, name, access, data, descr)                                                 \
	SYSCTL_NODE(var, name, SYSCTL_TYPE_U64, access, SYSCTL_TYPED(uint64_t, data), 0, NULL,     \
		    NULL, descr)
#define SYSCTL_BOOL(var, name, access, data, descr)                                                \
	SYSCTL_NODE(var, name, SYSCTL_TYPE_BOOL, access, SYSCTL_TYPED(bool, data), 0, NULL, NULL,  \
		    descr)
/* `array` is a char array, not a pointer. */
#define SYSCTL_STRING(var, name, access, array, descr)                                             \
	SYSCTL_NODE(var, name, SYSCTL_TYPE_STRING, access,                                         \
		    SYSCTL_TYPED(char[sizeof(array)], &(array)), sizeof(array), NULL, NULL, descr)
/* `type` is one of enum sysctl_type; `arg` comes back in oid->arg. */
#define SYSCTL_PROC(var, name, type, access, handler, arg, descr)                                  \
	SYSCTL_NODE(var, name, type, access, NULL, 0, handler, arg, descr)

#define SYSCTL_NODE(var, name, type, access, data, size, handler, arg, descr)                      \
	struct sysctl_oid var = {name, descr,   type, (access),    data,                           \
				 size, handler, arg,  {NULL, NULL}}

/* `data`, which must point to `type`. */
#define SYSCTL_TYPED(type, data) (1 ? (data) : (SYSCTL_POINTER(type))NULL)
#define SYSCTL_POINTER(type)     __typeof__(type) *

/*
 * Puts the node into the tree. Refuses, with a message and no change: a second node of the same
 * name, a name that is not words of letters, digits, '_' and '-' with dots between them, a name
 * that is too long, a node that cannot be read, one with neither data nor handler. To register
 * the same node again is nothing. Any context.
 */
bool sysctl_register(struct sysctl_oid *oid);

/* All of them, whatever becomes of each; false if one was refused. */
bool sysctl_register_all(struct sysctl_oid *const *oids, size_t count);

/* The node of this full name, or NULL. Any context. */
struct sysctl_oid *sysctl_find(const char *name);

/*
 * Both take the full name. `text` is the printed form, cut where it does not fit and always ended
 * with 0 (unless size is 0); SYSCTL_TEXT_MAX has room for any. Numbers are read as decimal or, with
 * 0x, hexadecimal, with an optional binary suffix K, M, G or T, and a '-' for ints; bools as 0 or
 * 1, false or true, off or on, no or yes. A status other than SYSCTL_OK: nothing has changed, and
 * `text` is empty. Thread context; nothing locked of rank LOCK_RANK_SYSCTL or above.
 */
enum sysctl_status sysctl_read(const char *name, char *text, size_t size);
enum sysctl_status sysctl_write(const char *name, const char *text);

/*
 * Visits the node called `prefix` and each below it ("" = all; "vm" has "vm.x" but not "vmx"), by
 * name. Nothing is locked during a visit. Thread context.
 */
void sysctl_foreach(const char *prefix, void (*visit)(void *ctx, struct sysctl_oid *oid),
		    void *ctx);

/* For messages: "it is read-only"; and what a value of the type is: "a 32-bit number". */
const char *sysctl_status_text(enum sysctl_status status);
const char *sysctl_type_text(enum sysctl_type type);

#ifdef __cplusplus
}
#endif

#endif
