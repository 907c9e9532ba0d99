// SPDX-License-Identifier: Apache-2.0
#include "store/document_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "sys/fd.hpp"

namespace callscope {
namespace {

std::unexpected<Error> write_error(const std::string& name, int error) {
  const bool refused = error == EACCES || error == EPERM || error == EROFS;
  const bool misnamed = error == ENOENT || error == ENOTDIR;
  const ErrorCode code = misnamed  ? ErrorCode::kUsage
                         : refused ? ErrorCode::kNotPermitted
                                   : ErrorCode::kIo;
  return fail(code, "cannot write " + name,
              error == ENOSPC ? "free some space" : "choose another file with -o", error);
}

bool everyone_may_write(const std::filesystem::path& folder) {
  struct stat status{};
  constexpr mode_t kShared = S_ISVTX | S_IWOTH;
  return ::stat(folder.c_str(), &status) == 0 && (status.st_mode & kShared) == kShared;
}

// Where the new file must stand; follows a link unless someone else may have laid it.
Result<std::string> resolve(const std::string& path) {
  std::error_code error;
  const std::filesystem::path given(path);
  if (!std::filesystem::is_symlink(given, error)) return path;
  const std::filesystem::path parent = given.has_parent_path() ? given.parent_path() : ".";
  if (everyone_may_write(parent)) {
    return fail(ErrorCode::kUsage, path + " is a symbolic link in a folder open to everyone",
                "name the file itself");
  }
  const std::filesystem::path target = std::filesystem::canonical(given, error);
  if (error) return write_error(path, error.value());
  return target.string();
}

Result<void> replace_file(const std::string& path, std::string_view document,
                          std::optional<FileOwner> owner) {
  std::string temporary = path + ".XXXXXX";
  Fd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) return write_error(path, errno);
  Result<void> written = write_all(file.get(), document, path);
  const auto check = [&](int rc) {
    const int error = errno;
    if (written && rc != 0) written = write_error(path, error);
  };
  check(::fchmod(file.get(), 0644));
  if (owner) check(::fchown(file.get(), owner->uid, owner->gid));
  if (written) check(::rename(temporary.c_str(), path.c_str()));
  if (!written) ::unlink(temporary.c_str());
  return written;
}

}  // namespace

Result<void> write_all(int fd, std::string_view document, const std::string& name) {
  while (!document.empty()) {
    const ssize_t written = ::write(fd, document.data(), document.size());
    const int error = errno;
    if (written < 0 && error == EINTR) continue;
    if (written < 0) return write_error(name, error);
    document.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_document(const std::string& path, std::string_view document,
                            std::optional<FileOwner> owner) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.valid()) return write_error(path, errno);
    return write_all(file.get(), document, path);
  }
  const Result<std::string> target = resolve(path);
  if (!target) return std::unexpected(target.error());
  return replace_file(*target, document, owner);
}

}  // namespace callscope
