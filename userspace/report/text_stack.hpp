// SPDX-License-Identifier: Apache-2.0
// A stack as one line of the text report. Pure function; private to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "callscope/recording.hpp"

namespace callscope {

// "leaf < caller x3 < ..." of these frames of the stack, at most width columns. with_lines: file
// and line behind each. truncated: there are further frames.
std::string stack_line(const Recording& recording, std::span<const std::uint32_t> frames,
                       bool truncated, std::size_t width, bool with_lines);

bool is_kernel(const Recording& recording, const Frame& frame);

// The same without the kernel's frames.
std::string user_stack_line(const Recording& recording, const Stack& stack, std::size_t width,
                            bool with_lines);

}  // namespace callscope
