// SPDX-License-Identifier: Apache-2.0
#include "store/recording_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "store/database.hpp"
#include "store/file_header.hpp"
#include "store/read_tables.hpp"
#include "store/schema.hpp"
#include "sys/fd.hpp"

namespace callscope {

using store::Database;
using store::FileHeader;
using store::Statement;

namespace {

struct OpenedFile {
  FileHeader header;
  std::uint64_t bytes = 0;
  bool has_wal = false;
};

// A private folder that goes away with the object.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> create() {
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
    std::string name = (parent / "callscope-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      const int cause = errno;
      return fail(ErrorCode::kIo, "cannot create a folder in " + parent.string(), "set TMPDIR",
                  cause);
    }
    return TemporaryFolder(std::move(name));
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Error open_error(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) {
    return {ErrorCode::kNotFound, "cannot open recording " + path, "check the path", error};
  }
  const bool refused = error == EACCES || error == EPERM;
  return {refused ? ErrorCode::kNotPermitted : ErrorCode::kIo, "cannot open recording " + path, "",
          error};
}

Result<OpenedFile> inspect(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) return std::unexpected(open_error(path, errno));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return std::unexpected(open_error(path, errno));
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kUsage,
                path + (S_ISDIR(status.st_mode) ? " is a folder" : " is not a regular file") +
                    ", not a callscope recording",
                "name the .cscope file that record wrote");
  }
  const Result<FileHeader> header = store::read_file_header(file.get(), path);
  if (!header) return std::unexpected(header.error());
  OpenedFile opened{*header, static_cast<std::uint64_t>(status.st_size), false};
  struct stat wal{};
  opened.has_wal = header->wal && ::stat((path + "-wal").c_str(), &wal) == 0 && wal.st_size > 0;
  return opened;
}

Result<void> check_kind(const OpenedFile& file, const std::string& path) {
  if (!file.header.is_recording) {
    return fail(ErrorCode::kCorrupt, path + " is not a callscope recording",
                "name the .cscope file that record wrote");
  }
  // With a -wal the file may lag behind its header; SQLite checks the pair.
  if (!file.has_wal && file.bytes != file.header.expected_bytes) {
    return fail(ErrorCode::kCorrupt,
                path + " is truncated or damaged: " + std::to_string(file.bytes) + " bytes, not " +
                    std::to_string(file.header.expected_bytes),
                "copy it again or record again");
  }
  return {};
}

// Nothing but files: path as a URI that SQLite takes as it is, without locks or new files.
std::string immutable_uri(const std::string& path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', kHex[byte >> 4], kHex[byte & 0xF]};
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

// Hostile files may hold views and triggers of their own; ours need none of what this forbids.
Result<void> harden(Database& database) {
  sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  CS_TRY(
      database.execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA "
                       "temp_store = MEMORY; BEGIN"));
  std::string names;
  for (const std::string_view table : store::kTables) {
    names += (names.empty() ? "'" : ", '") + std::string(table) + "'";
  }
  Result<Statement> views = database.prepare(
      "SELECT 1 FROM sqlite_schema WHERE type <> 'table' AND name IN (" + names + ")");
  if (!views) return std::unexpected(views.error());
  if (views->next()) {
    return fail(ErrorCode::kCorrupt, database.path() + " is not a callscope recording");
  }
  return views->status();
}

// Refuses formats that are not known here and shows known older ones as the present one.
Result<void> adapt_version(Database& database) {
  std::uint32_t version = 0;
  Result<Statement> pragma = database.prepare("PRAGMA user_version");
  if (!pragma) return std::unexpected(pragma.error());
  if (pragma->next()) version = pragma->number<std::uint32_t>(0);
  CS_TRY(pragma->status());
  if (version == store::kFormatVersion) return {};
  if (version == 1) return database.execute(store::kFormat1ViewsSql);
  if (version == 2) return database.execute(store::kFormat2ViewsSql);
  std::string maker = "another callscope";
  Result<Statement> query = database.prepare("SELECT tool_version FROM recording");
  if (query && query->next()) maker = "callscope " + query->text(0);
  return fail(ErrorCode::kCorrupt,
              database.path() + " was made by " + maker + ", format " + std::to_string(version) +
                  "; this one reads formats 1 to " + std::to_string(store::kFormatVersion),
              "use the callscope that recorded it");
}

Result<void> check_pages(Database& database) {
  Result<Statement> check = database.prepare("PRAGMA quick_check(1)");
  if (!check) return std::unexpected(check.error());
  const bool sound = check->next() && check->text(0) == "ok";
  CS_TRY(check->status());
  if (sound) return {};
  return fail(ErrorCode::kCorrupt, database.path() + " is damaged", "record again");
}

Result<Recording> read_database(Database& database) {
  CS_TRY(harden(database));
  CS_TRY(adapt_version(database));
  CS_TRY(check_pages(database));
  return store::read_tables(database);
}

// Reads a copy of file and -wal: for a folder in which SQLite cannot create the -shm it needs.
Result<Recording> read_copy(const std::string& path) {
  const Result<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder) return std::unexpected(folder.error());
  const std::string copy = folder->path() + "/copy.cscope";
  for (const std::string_view suffix : {"", "-wal"}) {
    std::error_code error;
    const std::string from = path + std::string(suffix);
    std::filesystem::copy_file(from, copy + std::string(suffix), error);
    if (error) {
      return fail(ErrorCode::kIo, "cannot copy " + from + " to " + folder->path(),
                  "make room or set TMPDIR", error.value());
    }
  }
  Result<Database> database = Database::open(copy, SQLITE_OPEN_READWRITE, path);
  if (!database) return std::unexpected(database.error());
  return read_database(*database);
}

}  // namespace

Result<Recording> read_recording(const std::string& path) {
  const Result<OpenedFile> file = inspect(path);
  if (!file) return std::unexpected(file.error());
  CS_TRY(check_kind(*file, path));
  if (!file->has_wal) {
    Result<Database> database =
        Database::open(immutable_uri(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, path);
    if (!database) return std::unexpected(database.error());
    return read_database(*database);
  }
  constexpr int kBusyTimeoutMs = 2000;
  const std::filesystem::path absolute = std::filesystem::absolute(path);
  Result<Database> database = Database::open(absolute.string(), SQLITE_OPEN_READONLY, path);
  if (!database) return std::unexpected(database.error());
  sqlite3_busy_timeout(database->handle(), kBusyTimeoutMs);
  // The first access opens the -wal; where that is not possible a copy can be read.
  const Result<void> access = database->execute("SELECT count(*) FROM sqlite_schema");
  const int rc = sqlite3_errcode(database->handle()) & 0xFF;
  if (!access && (rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY)) return read_copy(path);
  return read_database(*database);
}

}  // namespace callscope
