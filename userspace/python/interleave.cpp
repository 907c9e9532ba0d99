// SPDX-License-Identifier: Apache-2.0
#include "python/interleave.hpp"

#include <algorithm>

namespace callscope {
namespace {

bool outermost(const cs_python_frame& frame) { return (frame.flags & CS_PYTHON_OUTERMOST) != 0; }

// How many loops the thread is in that have no Python frame: the innermost one has none while it
// begins, before it has linked its frame, and while it ends. Nothing: the halves do not fit.
std::optional<std::size_t> unlinked_loops(const std::vector<bool>& is_loop, bool native_complete,
                                          std::span<const cs_python_frame> python, bool cut) {
  const auto loops = static_cast<std::size_t>(std::ranges::count(is_loop, true));
  const auto runs = static_cast<std::size_t>(std::ranges::count_if(python, outermost));
  const bool may_be_unlinked = !is_loop.empty() && is_loop.front();
  if (native_complete && !cut) {
    if (loops == runs) return 0;
    return may_be_unlinked && loops == runs + 1 ? std::optional<std::size_t>(1) : std::nullopt;
  }
  // One half is cut at its outer end, so that they only fit at the inner one, where a loop without
  // a frame would shift them. It cannot if all frames belong to one loop, as in a deep recursion.
  if (loops == 0 || (may_be_unlinked && (runs > 0 || !cut))) return std::nullopt;
  if (native_complete && runs >= loops) return std::nullopt;
  if (!cut && runs < loops) return std::nullopt;
  return 0;
}

}  // namespace

std::optional<MixedStack> interleave(const std::vector<bool>& is_loop, bool native_complete,
                                     std::span<const cs_python_frame> python, std::uint32_t end) {
  if (end != CS_PYTHON_COMPLETE && end != CS_PYTHON_DEPTH) return std::nullopt;
  const bool cut = end == CS_PYTHON_DEPTH;
  // The frame that begins the chain ends a loop, or the chain is not what we take it for.
  if (!cut && !python.empty() && !outermost(python.back())) return std::nullopt;
  std::optional<std::size_t> unlinked = unlinked_loops(is_loop, native_complete, python, cut);
  if (!unlinked) return std::nullopt;
  MixedStack mixed;
  std::uint32_t next = 0;
  for (std::uint32_t i = 0; i < is_loop.size(); ++i) {
    const std::uint32_t first = next;
    if (is_loop[i] && *unlinked > 0)
      --*unlinked;
    else if (is_loop[i])
      for (bool ended = false; !ended; ++next) {
        if (next == python.size()) {
          mixed.cut = true;
          return mixed;
        }
        ended = outermost(python[next]);
        if ((python[next].flags & CS_PYTHON_NO_FRAME) == 0) mixed.frames.push_back({true, next});
      }
    const bool ran_functions = next > first && (python[first].flags & CS_PYTHON_NO_FRAME) == 0;
    if (!ran_functions) mixed.frames.push_back({false, i});
  }
  return mixed;
}

}  // namespace callscope
