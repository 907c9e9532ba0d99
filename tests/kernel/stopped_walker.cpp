// SPDX-License-Identifier: Apache-2.0
#include "stopped_walker.hpp"

#include <catch2/catch.hpp>
#include <csignal>

#include "stopped_walk.h"
#include "stopped_walk.skel.h"

namespace callscope::test {

struct StoppedWalker::Program {
  stopped_walk_bpf* skeleton = nullptr;
  ~Program() { stopped_walk_bpf::destroy(skeleton); }
};

StoppedWalker::StoppedWalker(const StoppedProcess& process)
    : pid_(process.pid()), program_(std::make_unique<Program>()) {
  Result<std::unique_ptr<UnwindFeed>> feed = UnwindFeed::create(UnwindMode::kAuto, {});
  if (!feed) FAIL(feed.error().message());
  feed_ = std::move(*feed);
  program_->skeleton = stopped_walk_bpf::open();
  REQUIRE(program_->skeleton != nullptr);
  program_->skeleton->rodata->cs_walked_tgid = static_cast<__u32>(pid_);
  const Result<void> given = feed_->maps().give_to(program_->skeleton->obj);
  if (!given) FAIL(given.error().message());
  REQUIRE(stopped_walk_bpf::load(program_->skeleton) == 0);
  REQUIRE(stopped_walk_bpf::attach(program_->skeleton) == 0);
  read_code();
}

StoppedWalker::~StoppedWalker() = default;

void StoppedWalker::read_code() { feed_->refresh(pid_); }

std::optional<WalkedStack> StoppedWalker::walk_and_step(StoppedProcess& process, int deliver,
                                                        bool* alive) {
  static const auto read = [](const Program& program) {
    auto walk = std::make_unique<cs_stopped_walk>();
    const __u32 zero = 0;
    REQUIRE(::bpf_map__lookup_elem(program.skeleton->maps.cs_last_walk, &zero, sizeof(zero),
                                   walk.get(), sizeof(*walk), 0) == 0);
    return walk;
  };
  const std::uint64_t before = read(*program_)->walks;
  *alive = process.step(deliver == 0 ? SIGWINCH : deliver);
  const auto walk = read(*program_);
  if (walk->walks == before) return std::nullopt;
  REQUIRE(walk->walks == before + 1);
  return WalkedStack{{walk->addr, walk->addr + walk->frames}, static_cast<int>(walk->end)};
}

}  // namespace callscope::test
