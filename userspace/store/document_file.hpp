// SPDX-License-Identifier: Apache-2.0
// Writes a finished document (report, flame graph) to a file: whole or not at all. No state.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "callscope/error.hpp"
#include "store/output_file.hpp"

namespace callscope {

// Goes to a new file beside path that then takes its place, so path never holds half a document;
// pipes and devices are written directly. A symbolic link in a folder that everyone may write to
// (/tmp) is refused; any other is followed. owner: who gets the file; none = the caller.
Result<void> write_document(const std::string& path, std::string_view document,
                            std::optional<FileOwner> owner = std::nullopt);

// All of document to an open descriptor; name is for the error.
Result<void> write_all(int fd, std::string_view document, const std::string& name);

}  // namespace callscope
