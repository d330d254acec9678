/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of peer_bench. They stay from run to run, because allocators keep caches for each thread
 * and give them up when it ends.
 */
#include <sched.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "bench/host/crew.h"

namespace bench
{

namespace
{

class Helper
{
      public:
	explicit Helper(unsigned index) : index_(index), thread_([this] { main(); })
	{
	}
	~Helper()
	{
		hand(nullptr, true);
		thread_.join();
	}
	void start(const std::function<void(unsigned)> *body)
	{
		hand(body, false);
	}
	void wait()
	{
		std::unique_lock<std::mutex> lock(mutex_);

		changed_.wait(lock, [this] { return body_ == nullptr; });
	}

      private:
	void hand(const std::function<void(unsigned)> *body, bool end)
	{
		std::unique_lock<std::mutex> lock(mutex_);

		body_ = body;
		end_ = end;
		changed_.notify_all();
	}

	void main()
	{
		std::unique_lock<std::mutex> lock(mutex_);

		for (;;) {
			changed_.wait(lock, [this] { return body_ != nullptr || end_; });
			if (end_)
				return;
			lock.unlock();
			(*body_)(index_);
			lock.lock();
			body_ = nullptr;
			changed_.notify_all();
		}
	}

	const unsigned index_;
	std::mutex mutex_;
	std::condition_variable changed_;
	const std::function<void(unsigned)> *body_ = nullptr;
	bool end_ = false;
	std::thread thread_; /* last: it uses all of the above */
};

} // namespace

void crew_relax()
{
	sched_yield();
}

void crew_run(unsigned threads, const std::function<void(unsigned)> &body)
{
	static std::map<unsigned, std::unique_ptr<Helper>> helpers;

	for (unsigned i = 1; i < threads; i++) {
		if (helpers[i] == nullptr)
			helpers[i] = std::make_unique<Helper>(i);
		helpers[i]->start(&body);
	}
	body(0);
	for (unsigned i = 1; i < threads; i++)
		helpers[i]->wait();
}

} // namespace bench
