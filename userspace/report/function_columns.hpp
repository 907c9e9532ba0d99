// SPDX-License-Identifier: Apache-2.0
// The columns that the function table of the text report can have. Which of them are shown depends
// on the width, on the order and on ReportOptions::wide. Pure functions; private to this folder.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "callscope/recording.hpp"
#include "model/function_table.hpp"

namespace callscope {

struct FunctionColumn {
  std::string_view title;
  std::string_view sort_key;  // one of function_sort_keys(); empty: none
  // Where room is short the highest rank goes first; 0 always stays. kWideOnly: never by default.
  int rank = 0;
  std::string (*cell)(const Recording&, const FunctionRow&);

  static constexpr int kWideOnly = 100;
};

std::span<const FunctionColumn> function_columns();

// As -f takes it: "libc.so.6:malloc", or the name alone for functions of the executable.
std::string function_label(const Recording& recording, const FunctionStats& function);

// "emulated", "stepped"; empty: not known.
std::string_view entry_class_name(const FunctionStats& function);
std::string_view exit_class_name(const FunctionStats& function);

}  // namespace callscope
