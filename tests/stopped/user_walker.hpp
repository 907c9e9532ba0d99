// SPDX-License-Identifier: Apache-2.0
// Walks stacks of a process by the very code of bpf/common/unwind/walk.bpf.h, compiled for user
// space: memory is read through /proc, tables are those of userspace/unwind. The process must stand
// still meanwhile; who stops it is the caller's business. One thread. For tests only.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "callscope/abi/code.h"
#include "callscope/error.hpp"
#include "sys/fd.hpp"
#include "target/maps.hpp"

namespace callscope::test {

struct WalkedStack {
  std::vector<std::uint64_t> frames;  // leaf first
  int end = 0;                        // enum cs_stack_end
  bool deep = false;                  // there are further ones, though the walk went on

  bool operator==(const WalkedStack&) const = default;
};

class UserWalker {
 public:
  // Fails if the memory of the process cannot be opened: it is gone, or another user's.
  static Result<std::unique_ptr<UserWalker>> create(pid_t pid);
  UserWalker(const UserWalker&) = delete;
  UserWalker& operator=(const UserWalker&) = delete;
  ~UserWalker();

  // To call first, and when the maps have changed.
  Result<void> read_code();
  WalkedStack walk(const user_regs_struct& regs);
  // Code at addr has unwind information. False for a return address behind such code, too.
  bool has_rule(std::uint64_t addr);

  bool read(void* to, std::size_t size, std::uint64_t from) const;
  bool write(std::uint64_t to, const void* from, std::size_t size) const;
  // "libc.so.6+0x26d68": the file and the address in it; hexadecimal where there is none.
  [[nodiscard]] std::string describe(std::uint64_t addr) const;

 private:
  struct Tables;
  struct Module;
  UserWalker(pid_t pid, Fd memory);
  Module& module_of(const Mapping& mapping);
  cs_code_range range_of(const Module& module, const Mapping& mapping) const;

  pid_t pid_;
  Fd memory_;
  std::unique_ptr<Tables> tables_;
  std::vector<Mapping> mappings_;  // executable ones
};

}  // namespace callscope::test
