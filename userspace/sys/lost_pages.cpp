// SPDX-License-Identifier: Apache-2.0
#include "sys/lost_pages.hpp"

#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

#include "sys/page.hpp"

namespace callscope {
namespace {

struct Guard {
  std::atomic<std::uintptr_t> start;  // 0: free
  std::atomic<std::uintptr_t> end;
};
// Lock-free and of a fixed size: the handler looks through it.
std::array<Guard, 8192> guards;
std::atomic<std::size_t> guards_used;  // none is taken behind these
std::mutex guards_mutex;               // of those who take and free them
std::atomic<std::uint64_t> pages;

bool is_guarded(std::uintptr_t address) {
  const auto last = guards.begin() + static_cast<std::ptrdiff_t>(guards_used.load());
  return std::any_of(guards.begin(), last, [&](const Guard& guard) {
    const std::uintptr_t start = guard.start.load();
    return start != 0 && address >= start && address < guard.end.load();
  });
}

void put_zeroes(int signal, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr) / kPageBytes * kPageBytes;
  if (info->si_code == BUS_ADRERR && is_guarded(address) &&
      ::mmap(reinterpret_cast<void*>(address), kPageBytes, PROT_READ,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
    ++pages;
    return;
  }
  ::signal(signal, SIG_DFL);  // and again, when this returns
}

void install_handler() {
  struct sigaction action{};
  action.sa_sigaction = put_zeroes;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace

void guard_pages(const void* data, std::size_t size) {
  static std::once_flag installed;
  std::call_once(installed, install_handler);
  const std::lock_guard lock(guards_mutex);
  const auto free =
      std::ranges::find_if(guards, [](const Guard& guard) { return guard.start.load() == 0; });
  if (free == guards.end()) return;
  const auto start = reinterpret_cast<std::uintptr_t>(data);
  free->end = (start + size + kPageBytes - 1) / kPageBytes * kPageBytes;
  free->start = start;
  const auto index = static_cast<std::size_t>(free - guards.begin());
  guards_used = std::max(guards_used.load(), index + 1);
}

void unguard_pages(const void* data) {
  const std::lock_guard lock(guards_mutex);
  const auto start = reinterpret_cast<std::uintptr_t>(data);
  const auto guard =
      std::ranges::find_if(guards, [&](const Guard& one) { return one.start.load() == start; });
  if (guard != guards.end()) guard->start = 0;
}

std::uint64_t lost_pages() { return pages; }

}  // namespace callscope
