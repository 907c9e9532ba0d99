// SPDX-License-Identifier: Apache-2.0
// The sections of the text report, each ended by a newline. Pure functions; private to this folder.
#pragma once

#include <string>

#include "callscope/recording.hpp"
#include "report/renderer.hpp"
#include "report/text_table.hpp"

namespace callscope {

std::string text_header(const Recording& recording, const ReportOptions& options,
                        const Paint& paint);
std::string text_functions(const Recording& recording, const ReportOptions& options,
                           const Paint& paint);
std::string text_callers(const Recording& recording, const ReportOptions& options,
                         const Paint& paint);
std::string text_histograms(const Recording& recording, const ReportOptions& options,
                            const Paint& paint);
std::string text_heat_maps(const Recording& recording, const ReportOptions& options,
                           const Paint& paint);
std::string text_slow_calls(const Recording& recording, const ReportOptions& options,
                            const Paint& paint);
std::string text_threads(const Recording& recording, const ReportOptions& options,
                         const Paint& paint);
// Begins with an empty line; empty if there are no spans and no counted markers.
std::string text_spans(const Recording& recording, const ReportOptions& options,
                       const Paint& paint);
std::string text_cpu(const Recording& recording, const ReportOptions& options, const Paint& paint);
// Begins with an empty line; empty if waits were not recorded.
std::string text_waits(const Recording& recording, const ReportOptions& options,
                       const Paint& paint);
// The same of page faults.
std::string text_faults(const Recording& recording, const ReportOptions& options,
                        const Paint& paint);
std::string text_resources(const Recording& recording, const ReportOptions& options,
                           const Paint& paint);
std::string text_quality(const Recording& recording, const ReportOptions& options,
                         const Paint& paint);

}  // namespace callscope
