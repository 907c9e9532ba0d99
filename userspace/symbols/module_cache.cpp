// SPDX-License-Identifier: Apache-2.0
#include "symbols/module_cache.hpp"

#include "symbols/vdso.hpp"

namespace callscope {
namespace {

Result<MappedFile> map_module(std::int32_t pid, const Mapping& mapping, const TargetRoot* root) {
  // Needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN; opens the very file, deleted or not.
  Result<MappedFile> file = MappedFile::open(map_file_path(pid, mapping));
  if (file || mapping.deleted || root == nullptr) return file;
  return root->map_file(mapping.path);
}

}  // namespace

const ModuleImage* CachedModule::image() {
  if (file_) {
    Result<ModuleImage> parsed = ModuleImage::from_file(std::move(*file_));
    file_.reset();
    if (parsed)
      image_ = std::move(*parsed);
    else
      problem_ = parsed.error().message();
  }
  return image_ ? &*image_ : nullptr;
}

const ModuleSymbols* CachedModule::symbols() {
  if (symbols_) return &*symbols_;
  if (image() == nullptr) return nullptr;
  const Result<TargetRoot> host = TargetRoot::host();
  symbols_ = ModuleSymbols::load(*image_, path_, roots_with(host));
  return &*symbols_;
}

Result<std::optional<DebugInfo>> CachedModule::open_debug_info(const DebugFileFetcher& fetch,
                                                               std::uint64_t max_bytes) {
  if (image() == nullptr) return std::nullopt;
  const Result<TargetRoot> host = TargetRoot::host();
  return DebugInfo::open(*image_, path_, roots_with(host), fetch, max_bytes);
}

// Where debug files may be: first as the target sees it.
std::vector<const TargetRoot*> CachedModule::roots_with(const Result<TargetRoot>& host) const {
  std::vector<const TargetRoot*> roots;
  if (root_) roots.push_back(root_.get());
  if (host) roots.push_back(&*host);
  return roots;
}

CachedModule& ModuleCache::add(std::string path) {
  modules_.push_back(std::make_unique<CachedModule>(std::move(path)));
  return *modules_.back();
}

CachedModule& ModuleCache::open(std::int32_t pid, const Mapping& mapping,
                                const std::shared_ptr<const TargetRoot>& root) {
  if (mapping.path == "[vdso]") return open_vdso(pid, mapping);
  const Key key{mapping.dev_major, mapping.dev_minor, mapping.inode, {}};
  if (const auto known = by_file_.find(key); known != by_file_.end()) return *known->second;
  Key failed_key = key;
  std::get<std::string>(failed_key) = mapping.path;
  if (const auto known = by_file_.find(failed_key); known != by_file_.end()) return *known->second;

  CachedModule& module = add(mapping.path);
  Result<MappedFile> file = map_module(pid, mapping, root.get());
  if (file) {
    module.file_ = std::move(*file);
    module.root_ = root;
  } else {
    module.problem_ = file.error().message();
  }
  by_file_.emplace(file ? key : failed_key, &module);
  return module;
}

CachedModule& ModuleCache::open_vdso(std::int32_t pid, const Mapping& mapping) {
  Result<ModuleImage> image = read_vdso(pid, mapping);
  // Of a process that has ended: all have the same one, but for 32-bit programs.
  if (!image && !vdso_by_build_id_.empty()) return *vdso_by_build_id_.rbegin()->second;
  const std::string id = image ? image->build_id() : std::string();
  if (const auto known = vdso_by_build_id_.find(id); known != vdso_by_build_id_.end())
    return *known->second;
  CachedModule& module = add(mapping.path);
  if (image)
    module.image_ = std::move(*image);
  else
    module.problem_ = image.error().message();
  vdso_by_build_id_.emplace(id, &module);
  return module;
}

}  // namespace callscope
