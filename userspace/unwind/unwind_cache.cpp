// SPDX-License-Identifier: Apache-2.0
#include "unwind/unwind_cache.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "unwind/table_file.hpp"

namespace callscope {
namespace {

constexpr std::string_view kSuffix = ".unwind";
constexpr std::string_view kTemporarySuffix = ".unwind-new";  // while it is written
constexpr std::uint64_t kMaxFileBytes = 1ULL << 30;
constexpr std::int64_t kTemporaryAgeLimit_s = 3600;  // its writer was killed

struct CacheFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::int64_t used_s = 0;
  bool temporary = false;
};

// The files of ours in the directory; whatever else lies there is not touched.
std::vector<CacheFile> list_files(int directory) {
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  std::vector<CacheFile> files;
  Fd fd(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, Close> stream(fd.valid() ? ::fdopendir(fd.get()) : nullptr);
  if (!stream) return files;
  fd.release();
  while (const dirent* const entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    const bool temporary = name.ends_with(kTemporarySuffix);
    struct stat info{};
    if ((!temporary && !name.ends_with(kSuffix)) ||
        ::fstatat(directory, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(info.st_mode))
      continue;
    files.push_back(
        {std::string(name), static_cast<std::uint64_t>(info.st_size), info.st_mtime, temporary});
  }
  return files;
}

bool is_valid_name(std::string_view name) {
  constexpr std::size_t kMaxName = 200;
  constexpr std::string_view kAllowed =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-";
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

// The whole file, or nothing; marks it as used.
std::optional<std::vector<std::uint8_t>> read_file_at(int directory, const std::string& name) {
  const Fd fd(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  // In a directory that others may write to, only what we or root put there counts.
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > kMaxFileBytes) return std::nullopt;
  std::vector<std::uint8_t> bytes(size);
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t part = ::read(fd.get(), bytes.data() + got, bytes.size() - got);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) return std::nullopt;
    got += static_cast<std::size_t>(part);
  }
  ::futimens(fd.get(), nullptr);  // fails in a cache that is read-only, which then is not trimmed
  return bytes;
}

// errno of what failed; 0: written.
int write_file_at(int directory, const std::string& name, const std::vector<std::uint8_t>& bytes) {
  const Fd fd(::openat(directory, name.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd.valid()) return errno;
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t part = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) return errno;
    done += static_cast<std::size_t>(part);
  }
  return 0;
}

UnwindCacheStats sum_of(const std::vector<CacheFile>& files) {
  UnwindCacheStats sum;
  for (const CacheFile& file : files) {
    ++sum.files;
    sum.bytes += file.bytes;
    if (sum.oldest_use_s == 0 || file.used_s < sum.oldest_use_s) sum.oldest_use_s = file.used_s;
  }
  return sum;
}

}  // namespace

std::string UnwindCache::default_directory() {
  if (::geteuid() == 0) return "/var/cache/callscope";
  if (const char* const cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return std::string(cache) + "/callscope";
  if (const char* const home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::string(home) + "/.cache/callscope";
  return {};
}

UnwindCache::UnwindCache(std::string directory, UnwindCacheLimits limits)
    : directory_(std::move(directory)), limits_(limits) {}

void UnwindCache::note(const std::string& what, int error) {
  if (problem_.empty())
    problem_ = what + " " + directory_ + ": " + std::strerror(error) +
               "; unwind tables are compiled anew each time";
}

bool UnwindCache::open_directory(bool create) {
  if (fd_.valid()) return true;
  if (directory_.empty() || !problem_.empty()) return false;
  if (create) {
    std::error_code error;
    std::filesystem::create_directories(directory_, error);
    if (error) {
      note("cannot create the cache", error.value());
      return false;
    }
  }
  fd_.reset(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd_.valid() && (create || errno != ENOENT)) note("cannot open the cache", errno);
  return fd_.valid();
}

std::optional<UnwindTable> UnwindCache::load(const std::string& name) {
  if (!is_valid_name(name)) return std::nullopt;
  int directory = -1;  // stays open as long as this object
  {
    const std::lock_guard lock(mutex_);
    if (!open_directory(false)) return std::nullopt;
    directory = fd_.get();
  }
  const auto bytes = read_file_at(directory, name + std::string(kSuffix));
  return bytes ? read_table(*bytes) : std::nullopt;
}

void UnwindCache::store(const std::string& name, const UnwindTable& table) {
  if (!is_valid_name(name)) return;
  const std::vector<std::uint8_t> bytes = write_table(table);
  if (bytes.size() > std::min(limits_.max_bytes, kMaxFileBytes)) return;
  int directory = -1;
  std::string temporary;
  {
    const std::lock_guard lock(mutex_);
    if (!open_directory(true)) return;
    directory = fd_.get();
    temporary = name + "-" + std::to_string(::getpid()) + "-" + std::to_string(next_temporary_++) +
                std::string(kTemporarySuffix);
  }
  int error = write_file_at(directory, temporary, bytes);
  const std::string final_name = name + std::string(kSuffix);
  if (error == 0 && ::renameat(directory, temporary.c_str(), directory, final_name.c_str()) != 0)
    error = errno;
  const std::lock_guard lock(mutex_);
  if (error != 0) {
    note("cannot write to the cache", error);
    ::unlinkat(directory, temporary.c_str(), 0);
    return;
  }
  if (bytes_) *bytes_ += bytes.size();
  if (!bytes_ || *bytes_ > limits_.max_bytes) trim_locked();
}

void UnwindCache::trim() {
  const std::lock_guard lock(mutex_);
  if (open_directory(false)) trim_locked();
}

// Down to nine tenths, so that not every new table has to look at all files.
void UnwindCache::trim_locked() {
  std::vector<CacheFile> files = list_files(fd_.get());
  std::ranges::sort(files, {}, &CacheFile::used_s);
  std::uint64_t sum = sum_of(files).bytes;
  const std::uint64_t wanted = sum > limits_.max_bytes ? limits_.max_bytes / 10 * 9 : sum;
  const std::int64_t now_s = std::time(nullptr);
  for (const CacheFile& file : files) {
    const std::int64_t age_s = now_s - file.used_s;
    const bool too_old = age_s > (file.temporary ? kTemporaryAgeLimit_s : limits_.max_age.count());
    if (!too_old && (file.temporary || sum <= wanted)) continue;
    if (::unlinkat(fd_.get(), file.name.c_str(), 0) == 0) sum -= file.bytes;
  }
  bytes_ = sum;
}

UnwindCacheStats UnwindCache::clear() {
  const std::lock_guard lock(mutex_);
  if (!open_directory(false)) return {};
  std::vector<CacheFile> files = list_files(fd_.get());
  std::erase_if(files, [this](const CacheFile& file) {
    if (::unlinkat(fd_.get(), file.name.c_str(), 0) == 0) return false;
    note("cannot remove files from the cache", errno);
    return true;
  });
  bytes_.reset();
  return sum_of(files);
}

UnwindCacheStats UnwindCache::stats() {
  const std::lock_guard lock(mutex_);
  if (!open_directory(false)) return {};
  return sum_of(list_files(fd_.get()));
}

std::string UnwindCache::problem() {
  const std::lock_guard lock(mutex_);
  return problem_;
}

}  // namespace callscope
