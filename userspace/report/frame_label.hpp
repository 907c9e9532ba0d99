// SPDX-License-Identifier: Apache-2.0
// How frames and modules are called in every format. Pure functions on a valid Recording.
#pragma once

#include <cstdint>
#include <string>

#include "callscope/recording.hpp"

namespace callscope {

// "libc.so.6" of "/usr/lib/libc.so.6", "kernel" of "[kernel]".
std::string module_label(const Module& module);

// The function, of Python with its file: "run (app.py)"; or "[libc.so.6+0x1234]" for an address
// without a name; " (inlined)" behind one that was inlined.
std::string frame_label(const Recording& recording, const Frame& frame);

// "parse.cpp:120"; empty: not known.
std::string line_label(const std::string& file, std::uint32_t line);

// frame_label as a frame of a folded stack: ';' and control characters replaced, kernel frames
// with the suffix "_[k]", JIT frames with "_[j]", Python ones with "_[p]", inlined ones with
// "_[i]". with_line: the line, too: "parse (parse.cpp:120)_[i]".
std::string folded_label(const Recording& recording, const Frame& frame, bool with_line = false);

// Text as part of a folded line: no ';', no newline or other control character.
std::string folded_text(const std::string& text);

}  // namespace callscope
