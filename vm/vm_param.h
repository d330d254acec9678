/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constants of the kernel memory system. The map of the kernel half itself is the machine's, in
 * arch/mmu.h.
 */
#ifndef QUIRE_VM_VM_PARAM_H
#define QUIRE_VM_VM_PARAM_H

#include "arch/mmu.h"
#include "lib/types.h"

/* Return codes: the caller's mistakes and shortages. Values are those of Mach's kern_return.h. */
#define KERN_SUCCESS            0
#define KERN_INVALID_ADDRESS    1
#define KERN_PROTECTION_FAILURE 2
#define KERN_NO_SPACE           3
#define KERN_INVALID_ARGUMENT   4
#define KERN_FAILURE            5
#define KERN_RESOURCE_SHORTAGE  6

/* What callers of the classic interface call it. */
typedef bool boolean_t;
#ifndef TRUE
#define TRUE  true
#define FALSE false
#endif

typedef uint8_t vm_prot_t;
#define VM_PROT_NONE    ((vm_prot_t)0x00)
#define VM_PROT_READ    ((vm_prot_t)0x01)
#define VM_PROT_WRITE   ((vm_prot_t)0x02)
#define VM_PROT_EXECUTE ((vm_prot_t)0x04)
#define VM_PROT_RW      ((vm_prot_t)(VM_PROT_READ | VM_PROT_WRITE))
#define VM_PROT_ALL     ((vm_prot_t)(VM_PROT_READ | VM_PROT_WRITE | VM_PROT_EXECUTE))

/* The read-only region of zeroes that is good for any read: one 2 MiB page's worth. */
#define ZERO_REGION_SIZE ((vm_size_t)2 << 20)

struct vm_map;
struct vm_map_entry;
struct vm_object;
struct vm_page;
struct pmap;
typedef struct vm_map *vm_map_t;
typedef struct vm_map_entry *vm_map_entry_t;
typedef struct vm_object *vm_object_t;
typedef struct vm_page *vm_page_t;
typedef struct pmap *pmap_t;

#endif
