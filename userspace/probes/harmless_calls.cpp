// SPDX-License-Identifier: Apache-2.0
#include "probes/harmless_calls.hpp"

#include <algorithm>
#include <array>

namespace callscope {
namespace {

// Memory and strings: computation on the caller's memory, without locale and allocation.
constexpr auto kMemory = std::to_array<std::string_view>(
    {"bcmp",      "bcopy",   "bzero",   "memchr",    "memcmp", "memcpy",  "memmove",
     "mempcpy",   "memrchr", "memset",  "rawmemchr", "stpcpy", "strcat",  "strchr",
     "strchrnul", "strcmp",  "strcpy",  "strcspn",   "strlen", "strncat", "strncmp",
     "strncpy",   "strnlen", "strpbrk", "strrchr",   "strspn", "strstr",  "wcscmp",
     "wcslen",    "wmemchr", "wmemcmp", "wmemcpy",   "wmemset"});

// The same with a check of sizes, and where a failed check ends: the process is aborted without
// unwinding, and glibc has printed no backtrace of it since 2.26.
constexpr auto kChecked = std::to_array<std::string_view>(
    {"__chk_fail", "__memcpy_chk", "__memmove_chk", "__mempcpy_chk", "__memset_chk",
     "__stack_chk_fail", "__stpcpy_chk", "__strcat_chk", "__strcpy_chk", "__strncat_chk",
     "__strncpy_chk"});

// Reads of thread or process state through memory or the vDSO.
constexpr auto kState = std::to_array<std::string_view>(
    {"__ctype_b_loc", "__ctype_tolower_loc", "__ctype_toupper_loc", "__errno_location",
     "clock_gettime", "getpid", "gettimeofday", "pthread_self", "time"});

// Locks: POSIX forbids them to be cancellation points, and they run no code of the program.
constexpr auto kLocks = std::to_array<std::string_view>(
    {"pthread_mutex_lock", "pthread_mutex_trylock", "pthread_mutex_unlock", "pthread_rwlock_rdlock",
     "pthread_rwlock_unlock", "pthread_rwlock_wrlock", "pthread_spin_lock", "pthread_spin_unlock"});

static_assert(std::ranges::is_sorted(kState) && std::ranges::is_sorted(kChecked) &&
              std::ranges::is_sorted(kMemory) && std::ranges::is_sorted(kLocks));

}  // namespace

bool is_harmless_call(std::string_view name) {
  return std::ranges::binary_search(kMemory, name) || std::ranges::binary_search(kChecked, name) ||
         std::ranges::binary_search(kState, name) || std::ranges::binary_search(kLocks, name);
}

}  // namespace callscope
