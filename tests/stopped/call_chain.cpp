// SPDX-License-Identifier: Apache-2.0
#include "call_chain.hpp"

namespace callscope::test {
namespace {

constexpr std::uint64_t kStack = 8U << 20;  // of another stack is what lies farther away
constexpr std::uint64_t kLongestCall = 7;
constexpr std::uint64_t kLongestInstruction = 15;

}  // namespace

void CallChain::step(const StoppedProcess& process, const user_regs_struct& before,
                     const user_regs_struct& now) {
  const std::uint64_t return_addr = process.word(now.rsp);
  const bool behind = return_addr > before.rip && return_addr <= before.rip + kLongestCall;
  const bool jumped = now.rip < before.rip || now.rip > before.rip + kLongestInstruction;
  if (now.rsp == before.rsp - 8 && behind && (jumped || now.rip == return_addr))
    open_.push_back({now.rsp, return_addr, false});
  // Returns, and longjmps across several frames.
  while (!open_.empty() && !open_.back().interrupted && open_.back().slot < now.rsp &&
         now.rsp - open_.back().slot < kStack)
    open_.pop_back();
  if (!open_.empty() && open_.back().interrupted && open_.back().slot == now.rsp &&
      open_.back().addr == now.rip)
    open_.pop_back();
}

void CallChain::enter_handler(const StoppedProcess& process, const user_regs_struct& before,
                              const user_regs_struct& now) {
  open_.push_back({before.rsp, before.rip, true});
  open_.push_back({now.rsp, process.word(now.rsp), false});
}

std::vector<std::uint64_t> CallChain::callers() const {
  std::vector<std::uint64_t> addrs;
  for (auto call = open_.rbegin(); call != open_.rend(); ++call) addrs.push_back(call->addr);
  return addrs;
}

}  // namespace callscope::test
