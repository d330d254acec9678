/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shapes: in which order a subject is asked and given back. Each is a class template over the
 * subject, so that the calls are direct ones; its loop exists once with the contents checked
 * (CHECKED) and once without.
 */
#ifndef QUIRE_BENCH_HOST_SHAPES_H
#define QUIRE_BENCH_HOST_SHAPES_H

#include <array>
#include <random>

#include "bench/host/case.h"
#include "bench/host/crew.h"
#include "bench/host/subject.h"

namespace bench
{

/* Subject plus checks: what the loops below call. */
template <typename Subject, bool CHECKED> class Teller
{
      public:
	using Block = typename Subject::Block;

	/* Seeds from `seed` on; blocks of different tellers may be alive at the same time. */
	Teller(const Subject &subject, uint64_t seed) : subject_(subject), seed_(seed)
	{
	}

	Block take(size_t size, uint64_t slot) const
	{
		Block block = subject_.alloc(size);

		if (__builtin_expect(!block, 0))
			fail_no_memory(size);
		keep(block);
		if constexpr (CHECKED)
			subject_.fill(block, size, seed_ + slot);
		return block;
	}

	void give(Block block, size_t size, uint64_t slot) const
	{
		if constexpr (CHECKED)
			if (!subject_.intact(block, size, seed_ + slot))
				fail_changed(size);
		subject_.free(block, size);
	}

      private:
	const Subject subject_;
	const uint64_t seed_;
};

/* Makes run() and verify() of a shape out of its go<CHECKED>(). */
template <typename Shape> class ShapedWorker : public Worker
{
      public:
	void run(size_t ops) override
	{
		static_cast<Shape *>(this)->template go<false>(ops);
	}
	void verify(size_t ops) override
	{
		static_cast<Shape *>(this)->template go<true>(ops);
	}
};

/* Apart for every worker of a program, so that no two live blocks have the same seed. */
inline uint64_t worker_seed(unsigned index)
{
	return uint64_t(index) << 32;
}

/* One block, and back at once. */
template <typename Subject> class Pair : public ShapedWorker<Pair<Subject>>
{
      public:
	Pair(Subject subject, size_t size, unsigned index)
	    : subject_(subject), size_(size), index_(index)
	{
	}

	template <bool CHECKED> void go(size_t ops)
	{
		const Teller<Subject, CHECKED> teller(subject_, worker_seed(index_));
		const size_t size = size_;

		for (size_t i = 0; i < ops; i++)
			teller.give(teller.take(size, 0), size, 0);
	}

      private:
	Subject subject_;
	size_t size_;
	unsigned index_;
};

/* COUNT blocks, then all of them back in the same order. */
template <typename Subject, size_t COUNT> class Batch : public ShapedWorker<Batch<Subject, COUNT>>
{
      public:
	static_assert(CHUNK % COUNT == 0, "a chunk is whole batches");

	Batch(Subject subject, size_t size, unsigned index)
	    : subject_(subject), size_(size), index_(index)
	{
	}

	template <bool CHECKED> void go(size_t ops)
	{
		const Teller<Subject, CHECKED> teller(subject_, worker_seed(index_));
		const size_t size = size_;

		for (size_t done = 0; done < ops; done += COUNT) {
			for (size_t i = 0; i < COUNT; i++)
				blocks_[i] = teller.take(size, i);
			for (size_t i = 0; i < COUNT; i++)
				teller.give(blocks_[i], size, i);
		}
	}

      private:
	Subject subject_;
	size_t size_;
	unsigned index_;
	std::array<typename Subject::Block, COUNT> blocks_ = {};
};

/*
 * 256 blocks are held; each operation replaces one of them, at random, by one of another size.
 * The plan is drawn beforehand and is the same in every program.
 */
template <typename Subject> class Random : public ShapedWorker<Random<Subject>>
{
      public:
	enum : size_t { SLOTS = 256, PLAN = 1024 };

	/* Sizes are multiples of `unit`, evenly drawn from [least, most]. */
	Random(Subject subject, size_t unit, size_t least, size_t most, unsigned index)
	    : subject_(subject), index_(index)
	{
		std::mt19937 random(index + 1);
		std::uniform_int_distribution<size_t> size(least / unit, most / unit);

		for (Step &step : plan_)
			step = {uint32_t(random() % SLOTS), uint32_t(size(random) * unit)};
	}

	template <bool CHECKED> void go(size_t ops)
	{
		const Teller<Subject, CHECKED> teller(subject_, worker_seed(index_));

		for (size_t slot = 0; slot < SLOTS; slot++)
			hold(teller, slot, plan_[slot].size);
		/* Every block is one operation, those that fill the slots included. */
		for (size_t i = SLOTS; i < ops; i++) {
			const Step &step = plan_[i % PLAN];

			drop(teller, step.slot);
			hold(teller, step.slot, step.size);
		}
		for (size_t slot = 0; slot < SLOTS; slot++)
			drop(teller, slot);
	}

      private:
	struct Step {
		uint32_t slot, size;
	};
	struct Held {
		typename Subject::Block block;
		size_t size;
	};

	template <typename T> void hold(const T &teller, size_t slot, size_t size)
	{
		held_[slot] = {teller.take(size, slot), size};
	}
	template <typename T> void drop(const T &teller, size_t slot)
	{
		teller.give(held_[slot].block, held_[slot].size, slot);
	}

	Subject subject_;
	unsigned index_;
	std::array<Step, PLAN> plan_;
	std::array<Held, SLOTS> held_ = {};
};

/* Two threads: worker 0 allocates in bunches, worker 1 gives them back. An operation is a block. */
template <typename Subject> class HandOver : public ShapedWorker<HandOver<Subject>>
{
      public:
	enum : size_t { BUNCH = 64, BUNCHES = 8 };

	/* The belt between the two: bunch i lies in place i % BUNCHES. */
	struct Belt {
		std::array<std::array<typename Subject::Block, BUNCH>, BUNCHES> bunches = {};
		alignas(64) std::atomic<size_t> put{0};
		alignas(64) std::atomic<size_t> taken{0};
	};

	HandOver(Subject subject, size_t size, unsigned index, std::shared_ptr<Belt> belt)
	    : subject_(subject), size_(size), index_(index), belt_(belt)
	{
	}

	template <bool CHECKED> void go(size_t ops)
	{
		/* One seed for both: what worker 0 fills worker 1 checks. */
		const Teller<Subject, CHECKED> teller(subject_, 0);

		for (size_t done = 0; done < ops; done += BUNCH, turn_++)
			index_ == 0 ? put(teller) : take(teller);
	}

      private:
	template <typename T> void put(const T &teller)
	{
		auto &bunch = belt_->bunches[turn_ % BUNCHES];

		crew_wait([this] { return turn_ - belt_->taken.load() < BUNCHES; });
		for (size_t i = 0; i < BUNCH; i++)
			bunch[i] = teller.take(size_, turn_ * BUNCH + i);
		belt_->put.store(turn_ + 1);
	}

	template <typename T> void take(const T &teller)
	{
		auto &bunch = belt_->bunches[turn_ % BUNCHES];

		crew_wait([this] { return belt_->put.load() > turn_; });
		for (size_t i = 0; i < BUNCH; i++)
			teller.give(bunch[i], size_, turn_ * BUNCH + i);
		belt_->taken.store(turn_ + 1);
	}

	Subject subject_;
	size_t size_, turn_ = 0;
	unsigned index_;
	std::shared_ptr<Belt> belt_;
};

/* --- A case out of a shape and a subject --- */

template <typename Shape, typename Subject>
Case shape_case(std::string name, Subject subject, size_t size)
{
	return {std::move(name), 0, [=](unsigned threads) {
			Workers workers;

			for (unsigned i = 0; i < threads; i++)
				workers.push_back(std::make_unique<Shape>(subject, size, i));
			return workers;
		}};
}

/* FAMILY.pair, FAMILY.batch64, FAMILY.batch512. */
template <typename Subject>
void add_shapes(std::vector<Case> *cases, const std::string &family, Subject subject, size_t size)
{
	cases->push_back(shape_case<Pair<Subject>>(family + ".pair", subject, size));
	cases->push_back(shape_case<Batch<Subject, 64>>(family + ".batch64", subject, size));
	cases->push_back(shape_case<Batch<Subject, 512>>(family + ".batch512", subject, size));
}

template <typename Subject>
Case random_case(std::string name, Subject subject, size_t unit, size_t least, size_t most)
{
	return {std::move(name), 0, [=](unsigned threads) {
			Workers workers;

			for (unsigned i = 0; i < threads; i++)
				workers.push_back(std::make_unique<Random<Subject>>(
				    subject, unit, least, most, i));
			return workers;
		}};
}

template <typename Subject> Case handover_case(std::string name, Subject subject, size_t size)
{
	using Shape = HandOver<Subject>;

	return {std::move(name), 2, [=](unsigned threads) {
			auto belt = std::make_shared<typename Shape::Belt>();
			Workers workers;

			for (unsigned i = 0; i < threads; i++)
				workers.push_back(std::make_unique<Shape>(subject, size, i, belt));
			return workers;
		}};
}

} // namespace bench

#endif
