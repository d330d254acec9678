/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/check.h"
#include "vm/vm_pool.h"
#include "vm/vm_radix_private.h"
#include "vm/vm_report.h"

/*
 * A tree of height h has h levels of nodes; level 0 holds pages. It covers indices below
 * 64^h, and stands for as little as its largest index needs: when the tree grows, the old root
 * goes into slot 0 of the new one, and when only slot 0 of the root is left, the root goes.
 *
 * Insertion first gets every node that it will need and only then touches the tree, so there is
 * nothing to undo when memory ends.
 */
/* Nodes that were allocated and are not yet in the tree. */
struct radix_supply {
	struct vm_radix_node *nodes[RADIX_NEW_MAX];
	unsigned count;
};

static struct vm_pool node_pool;

void vm_radix_init(void)
{
	vm_pool_init(&node_pool, "radix nodes", sizeof(struct vm_radix_node), 0, LOCK_RANK_RADIX);
	vm_pool_keep_clean(&node_pool);
}

/* The smallest tree that has a place for `index`. */
static unsigned height_for(vm_pindex_t index)
{
	unsigned height = 1;

	while (height < RADIX_HEIGHT_MAX && index >> (RADIX_BITS * height) != 0)
		height++;
	return height;
}

/*
 * The deepest node that is there on the way to `index`, which the tree's height covers, so that
 * the tree is not empty; *level is its level.
 */
static struct vm_radix_node *deepest_node(const struct vm_radix *tree, vm_pindex_t index,
					  unsigned *level)
{
	struct vm_radix_node *node = tree->root;

	for (*level = tree->height - 1; *level > 0; (*level)--) {
		unsigned slot = radix_slot_of(index, *level);

		if (!radix_node_has(node, slot))
			break;
		node = node->slots[slot];
	}
	return node;
}

static bool covers(const struct vm_radix *tree, vm_pindex_t index)
{
	return tree->height != 0 && height_for(index) <= tree->height;
}

struct vm_radix_node *radix_leaf_find(const struct vm_radix *tree, vm_pindex_t index)
{
	struct vm_radix_node *node;
	unsigned level;

	if (!covers(tree, index))
		return NULL;
	node = deepest_node(tree, index, &level);
	return level == 0 ? node : NULL;
}

vm_page_t vm_radix_lookup(const struct vm_radix *tree, vm_pindex_t index)
{
	const struct vm_radix_node *leaf = radix_leaf_find(tree, index);

	return leaf != NULL ? leaf->slots[radix_slot_of(index, 0)] : NULL;
}

/* Nodes that must be made before a page can stand at `index`. */
static unsigned nodes_missing(const struct vm_radix *tree, vm_pindex_t index)
{
	unsigned height = height_for(index);
	unsigned level;

	if (tree->height == 0)
		return height;
	if (height > tree->height) /* new roots, then a whole new path below the topmost */
		return (height - tree->height) + (height - 1);
	deepest_node(tree, index, &level);
	return level;
}

static void supply_free(struct radix_supply *supply)
{
	while (supply->count > 0)
		vm_pool_free(&node_pool, supply->nodes[--supply->count]);
}

static bool supply_fill(struct radix_supply *supply, unsigned count)
{
	CHECK_LE(count, RADIX_NEW_MAX);
	supply->count = 0;
	while (supply->count < count) {
		struct vm_radix_node *node =
		    vm_pool_alloc(&node_pool, VM_POOL_NORMAL, "vm_radix_insert");

		if (node == NULL) {
			supply_free(supply);
			return false;
		}
		supply->nodes[supply->count++] = node;
	}
	return true;
}

static struct vm_radix_node *supply_take(struct radix_supply *supply)
{
	CHECK_LT(0, supply->count);
	return supply->nodes[--supply->count];
}

/* Makes the tree at least `height` high; a new root holds the old one, if there is any. */
static void grow(struct vm_radix *tree, unsigned height, struct radix_supply *supply)
{
	if (tree->height == 0) {
		tree->root = supply_take(supply);
		tree->height = height;
	}
	while (tree->height < height) {
		struct vm_radix_node *root = supply_take(supply);

		radix_node_set(root, 0, tree->root);
		tree->root = root;
		tree->height++;
	}
}

/* Apart, since most pages find their leaf there: the supply is large. */
static __attribute__((noinline)) struct vm_radix_node *leaf_make(struct vm_radix *tree,
								 vm_pindex_t index)
{
	struct radix_supply supply;
	struct vm_radix_node *node;
	unsigned level;

	if (!supply_fill(&supply, nodes_missing(tree, index)))
		return NULL;
	grow(tree, height_for(index), &supply);
	node = deepest_node(tree, index, &level);
	for (; level > 0; level--) {
		struct vm_radix_node *child = supply_take(&supply);

		radix_node_set(node, radix_slot_of(index, level), child);
		node = child;
	}
	CHECK_EQ(supply.count, 0);
	return node;
}

struct vm_radix_node *radix_leaf_get(struct vm_radix *tree, vm_pindex_t index)
{
	struct vm_radix_node *leaf = radix_leaf_find(tree, index);

	return leaf != NULL ? leaf : leaf_make(tree, index);
}

int vm_radix_insert(struct vm_radix *tree, vm_pindex_t index, vm_page_t page)
{
	struct vm_radix_node *leaf;

	CHECK(page != NULL);
	leaf = radix_leaf_get(tree, index);
	if (leaf == NULL)
		return KERN_RESOURCE_SHORTAGE;
	if (radix_node_has(leaf, radix_slot_of(index, 0)))
		return KERN_INVALID_ARGUMENT; /* so the leaf was there, and nothing has changed */
	radix_node_set(leaf, radix_slot_of(index, 0), page);
	return KERN_SUCCESS;
}

/*
 * Follows the smallest path at or above *index. True: *index is where it leads. False: nothing is
 * there below the node where the search ended, and *index is the first one after that node, or 0
 * when it was the last.
 */
static bool descend_ge(const struct vm_radix *tree, vm_pindex_t *index, vm_page_t *page)
{
	const struct vm_radix_node *node = tree->root;

	for (unsigned level = tree->height - 1;; level--) {
		unsigned shift = RADIX_BITS * level;
		unsigned slot = radix_slot_of(*index, level);
		uint64_t rest = node->present >> slot;
		unsigned skip;

		if (rest == 0) {
			if (level == tree->height - 1)
				*index = 0;
			else /* wraps to 0 after the largest index of all */
				*index = ((*index >> (shift + RADIX_BITS)) + 1)
					 << (shift + RADIX_BITS);
			return false;
		}
		skip = (unsigned)__builtin_ctzll(rest);
		if (skip != 0)
			*index = ((*index >> shift) + skip) << shift;
		if (level == 0) {
			*page = node->slots[slot + skip];
			return true;
		}
		node = node->slots[slot + skip];
	}
}

vm_page_t vm_radix_lookup_ge(const struct vm_radix *tree, vm_pindex_t index, vm_pindex_t *found)
{
	vm_page_t page;

	/* Each further turn starts at a node one level higher at least: `height` turns at most. */
	while (covers(tree, index)) {
		if (descend_ge(tree, &index, &page)) {
			*found = index;
			return page;
		}
		if (index == 0)
			break;
	}
	return NULL;
}

/* A root that leads to slot 0 only has nothing to tell. */
static void shrink(struct vm_radix *tree)
{
	while (tree->height > 1 && tree->root->present == 1) {
		struct vm_radix_node *root = tree->root;

		tree->root = root->slots[0];
		tree->height--;
		radix_node_clear(root, 0);
		vm_pool_free(&node_pool, root);
	}
}

void radix_leaf_drop(struct vm_radix *tree, vm_pindex_t index)
{
	struct vm_radix_node *path[RADIX_HEIGHT_MAX];
	unsigned level = 0;

	path[tree->height - 1] = tree->root;
	for (unsigned l = tree->height - 1; l > 0; l--)
		path[l - 1] = path[l]->slots[radix_slot_of(index, l)];

	while (level < tree->height && path[level]->present == 0) {
		vm_pool_free(&node_pool, path[level]);
		level++;
		if (level < tree->height)
			radix_node_clear(path[level], radix_slot_of(index, level));
	}
	if (level == tree->height) {
		tree->root = NULL;
		tree->height = 0;
	}
	shrink(tree);
}

vm_page_t vm_radix_remove(struct vm_radix *tree, vm_pindex_t index)
{
	struct vm_radix_node *leaf = radix_leaf_find(tree, index);
	unsigned slot = radix_slot_of(index, 0);
	vm_page_t page;

	if (leaf == NULL || !radix_node_has(leaf, slot))
		return NULL;
	page = leaf->slots[slot];
	radix_node_clear(leaf, slot);
	if (leaf->present == 0)
		radix_leaf_drop(tree, index);
	return page;
}

static unsigned broken(vm_report_fn *report, const struct vm_radix *tree, unsigned level,
		       const char *what)
{
	return vm_report(report, "radix tree %p of height %u, level %u: %s", (const void *)tree,
			 tree->height, level, what);
}

static unsigned audit_node(const struct vm_radix *tree, const struct vm_radix_node *node,
			   unsigned level, void (*report)(const char *line))
{
	unsigned found = 0;

	if (node->present == 0)
		found += broken(report, tree, level, "a node is empty");
	for (unsigned slot = 0; slot < RADIX_WAYS; slot++)
		if (radix_node_has(node, slot) != (node->slots[slot] != NULL))
			found += broken(report, tree, level, "a slot and its bit differ");
	return found;
}

static unsigned audit_root(const struct vm_radix *tree, void (*report)(const char *line))
{
	unsigned top = tree->height - 1;
	unsigned found = 0;

	if (top > 0 && tree->root->present == 1)
		found += broken(report, tree, top, "the tree is higher than it need be");
	/* The topmost level has only the bits of an index that are left: 64 - 10 * 6 = 4. */
	if (tree->height == RADIX_HEIGHT_MAX &&
	    tree->root->present >> (1u << (64 - RADIX_BITS * top)) != 0)
		found += broken(report, tree, top, "a slot lies beyond the largest index");
	return found;
}

unsigned vm_radix_audit(const struct vm_radix *tree, void (*report)(const char *line))
{
	const struct vm_radix_node *path[RADIX_HEIGHT_MAX];
	uint64_t rest[RADIX_HEIGHT_MAX]; /* slots of path[level] that were not visited yet */
	unsigned level, found;

	if ((tree->height == 0) != (tree->root == NULL))
		return broken(report, tree, 0, "height and root contradict each other");
	if (tree->height == 0)
		return 0;
	if (tree->height > RADIX_HEIGHT_MAX)
		return broken(report, tree, 0, "higher than any index needs");

	level = tree->height - 1;
	path[level] = tree->root;
	rest[level] = tree->root->present;
	found = audit_root(tree, report) + audit_node(tree, tree->root, level, report);
	while (level < tree->height) {
		const struct vm_radix_node *child;

		if (level == 0 || rest[level] == 0) {
			level++;
			continue;
		}
		child = path[level]->slots[__builtin_ctzll(rest[level])];
		rest[level] &= rest[level] - 1;
		if (child == NULL) /* reported with its parent */
			continue;
		level--;
		path[level] = child;
		rest[level] = child->present;
		found += audit_node(tree, child, level, report);
	}
	return found;
}
