// SPDX-License-Identifier: Apache-2.0
#include "symbols/debug_info.hpp"

#include <utility>

namespace callscope {

Result<std::optional<DebugInfo>> DebugInfo::open(const ModuleImage& module,
                                                 const std::string& module_path,
                                                 std::span<const TargetRoot* const> roots,
                                                 const DebugFileFetcher& fetch,
                                                 std::uint64_t max_bytes) {
  DebugInfo info;
  if (!has_dwarf(module.image())) {
    info.separate_ = find_debug_file(module, module_path, roots).found;
    const bool missing = !info.separate_ || !has_dwarf(info.separate_->image.image());
    if (missing && fetch && !module.build_id().empty()) {
      Result<DebugFile> fetched = fetch(module.build_id());
      if (!fetched && fetched.error().code != ErrorCode::kNotFound)
        return std::unexpected(fetched.error());
      if (fetched) info.separate_ = std::move(*fetched);
      info.fetched_ = fetched.has_value();
    }
    if (!info.separate_ || !has_dwarf(info.separate_->image.image())) return std::nullopt;
  }
  const ModuleImage& debug = info.separate_ ? info.separate_->image : module;
  const std::string& path = info.separate_ ? info.separate_->path : module_path;
  info.shared_ = find_shared_debug_file(debug, path, roots);
  if (const std::string id = shared_build_id(debug); !id.empty() && !info.shared_ && fetch) {
    Result<DebugFile> fetched = fetch(id);
    if (fetched) info.shared_ = std::move(*fetched);
  }
  Result<DwarfFile> dwarf = DwarfFile::open(
      debug.image(), info.shared_ ? info.shared_->image.image().bytes() : ByteSpan{}, max_bytes);
  if (!dwarf) return std::unexpected(dwarf.error());
  info.dwarf_ = std::move(*dwarf);
  return info;
}

}  // namespace callscope
