// SPDX-License-Identifier: Apache-2.0
// What kind of code a frame is, told by the suffix that folded files carry: "_[k]" kernel, "_[j]"
// JIT, "_[i]" inlined, "_[p]" Python; "[unknown]..." and "[module]" have no symbol; "-" and "--"
// are what bcc puts between stacks. Pure functions; the views they return point into the name that
// was passed in.
#pragma once

#include <string_view>

namespace callscope {

enum class FrameKind { kUser, kKernel, kJit, kInlined, kUnresolved, kSeparator, kPython };

FrameKind frame_kind(std::string_view name);

// The name without the suffix that frame_kind reads.
std::string_view plain_name(std::string_view name);

}  // namespace callscope
