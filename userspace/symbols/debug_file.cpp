// SPDX-License-Identifier: Apache-2.0
#include "symbols/debug_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

namespace callscope {
namespace {

constexpr const char* kDebugRoot = "/usr/lib/debug";

std::uint32_t file_crc(ByteSpan bytes) {
  uLong crc = ::crc32(0, nullptr, 0);
  while (!bytes.empty()) {
    const ByteSpan part = bytes.first(std::min<std::size_t>(bytes.size(), 64U << 20));
    crc = ::crc32(crc, part.data(), static_cast<uInt>(part.size()));
    bytes = bytes.subspan(part.size());
  }
  return static_cast<std::uint32_t>(crc);
}

std::string build_id_path(const std::string& build_id) {
  return std::string(kDebugRoot) + "/.build-id/" + build_id.substr(0, 2) + "/" +
         build_id.substr(2) + ".debug";
}

std::vector<std::string> debuglink_paths(std::string_view name, const std::string& module_path) {
  const std::size_t slash = module_path.rfind('/');
  if (slash == std::string::npos || name.find('/') != std::string_view::npos) return {};
  const std::string dir = module_path.substr(0, slash);
  const std::string file(name);
  std::vector<std::string> paths = {dir + "/" + file, dir + "/.debug/" + file,
                                    kDebugRoot + dir + "/" + file};
  std::erase(paths, module_path);
  return paths;
}

// Opens one candidate; without a CRC to check, the build-ids must be there and agree.
std::optional<DebugFile> try_file(const ModuleImage& module, const TargetRoot& root,
                                  const std::string& path, std::optional<std::uint32_t> crc,
                                  std::vector<std::string>& refused) {
  Result<MappedFile> file = root.map_file(path);
  if (!file) return std::nullopt;
  const ByteSpan bytes = file->bytes();
  Result<ModuleImage> image = ModuleImage::from_file(std::move(*file));
  const auto refuse = [&](const std::string& why) {
    refused.push_back(path + ": " + why);
    return std::nullopt;
  };
  if (!image) return refuse(image.error().what);
  const bool both_have_ids = !module.build_id().empty() && !image->build_id().empty();
  if ((both_have_ids || !crc) && image->build_id() != module.build_id())
    return refuse("its build-id is another one");
  if (crc && file_crc(bytes) != *crc) return refuse("its CRC is not that of .gnu_debuglink");
  return DebugFile{std::move(*image), path};
}

}  // namespace

DebugFileSearch find_debug_file(const ModuleImage& module, const std::string& module_path,
                                std::span<const TargetRoot* const> roots) {
  DebugFileSearch search;
  if (module.build_id().size() > 2) {
    for (const TargetRoot* const root : roots) {
      search.found =
          try_file(module, *root, build_id_path(module.build_id()), std::nullopt, search.refused);
      if (search.found) return search;
    }
  }
  const std::optional<DebugLink> link = module.image().debuglink();
  if (!link) return search;
  for (const TargetRoot* const root : roots) {
    for (const std::string& path : debuglink_paths(link->name, module_path)) {
      search.found = try_file(module, *root, path, link->crc, search.refused);
      if (search.found) return search;
    }
  }
  return search;
}

std::string shared_build_id(const ModuleImage& debug) {
  const ByteSpan link = debug.image().section_bytes(".gnu_debugaltlink");
  const std::string_view path = string_at(link, 0);
  std::string build_id;  // the bytes behind the name
  if (path.empty() || link.size() <= path.size() + 1) return build_id;
  for (const std::uint8_t byte : link.subspan(path.size() + 1))
    build_id += fmt::format("{:02x}", byte);
  return build_id;
}

std::optional<DebugFile> find_shared_debug_file(const ModuleImage& debug,
                                                const std::string& debug_path,
                                                std::span<const TargetRoot* const> roots) {
  const ByteSpan link = debug.image().section_bytes(".gnu_debugaltlink");
  std::string path(string_at(link, 0));
  const std::string build_id = shared_build_id(debug);
  if (build_id.empty()) return std::nullopt;
  if (!path.starts_with('/')) path = debug_path.substr(0, debug_path.rfind('/') + 1) + path;
  for (const TargetRoot* const root : roots) {
    Result<MappedFile> file = root->map_file(path);
    if (!file) file = root->map_file(build_id_path(build_id));
    if (!file) continue;
    Result<ModuleImage> image = ModuleImage::from_file(std::move(*file));
    if (image && image->build_id() == build_id) return DebugFile{std::move(*image), path};
  }
  return std::nullopt;
}

}  // namespace callscope
