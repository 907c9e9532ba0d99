// SPDX-License-Identifier: Apache-2.0
#include "symbols/demangle.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <unordered_map>

// libiberty.h declares its own basename() unless told that the C library has one.
#define HAVE_DECL_BASENAME 1
#include <libiberty/demangle.h>

#include "symbols/simple_name.hpp"
#include "symbols/symbol_preference.hpp"

namespace callscope {
namespace {

constexpr std::size_t kMaxMangledBytes = 64U << 10;
constexpr std::size_t kMaxOutputBytes = 1U << 20;
// libiberty refuses names of more than 1024 bytes unless its recursion limit is off. Then the depth
// follows the length of the name, so these are demangled on a stack that the deepest one fits in.
constexpr std::size_t kShortNameBytes = 1024;
constexpr std::size_t kBigStackBytes = 512U << 20;

enum class Language { kNone, kCpp, kRust };

// Where libiberty's callback writes to. Substitutions let a short name unfold to gigabytes: past
// kMaxOutputBytes the demangler is left by longjmp, over frames of C that own nothing.
struct Sink {
  char* data = nullptr;
  std::size_t capacity = 0;
  std::size_t size = 0;  // bytes produced, also those past capacity
  std::jmp_buf give_up;
};

void append(const char* text, std::size_t size, void* opaque) {
  Sink& sink = *static_cast<Sink*>(opaque);
  if (sink.size < sink.capacity)
    std::memcpy(sink.data + sink.size, text, std::min(size, sink.capacity - sink.size));
  sink.size += size;
  if (sink.size > kMaxOutputBytes) std::longjmp(sink.give_up, 1);
}

struct Request {
  const char* name = nullptr;
  Language language = Language::kNone;
  int options = 0;
  Sink sink;
  bool ok = false;
};

// Owns nothing with a destructor: append() may jump out of it.
void run(Request& request) {
  request.sink.size = 0;
  request.ok = false;
  if (setjmp(request.sink.give_up) != 0) return;
  const int done =
      request.language == Language::kRust
          ? rust_demangle_callback(request.name, request.options, append, &request.sink)
          : cplus_demangle_v3_callback(request.name, request.options, append, &request.sink);
  request.ok = done != 0;
}

void* run_in_thread(void* opaque) {
  run(*static_cast<Request*>(opaque));
  return nullptr;
}

void run_on_big_stack(Request& request) {
  request.ok = false;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return;
  pthread_t thread{};
  if (pthread_attr_setstacksize(&attributes, kBigStackBytes) == 0 &&
      pthread_create(&thread, &attributes, run_in_thread, &request) == 0)
    pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

// Empty: not a name of that language.
std::string call_libiberty(const std::string& name, Language language, int options) {
  const bool is_long = name.size() > kShortNameBytes;
  std::array<char, 4096> buffer;
  Request request{
      name.c_str(), language, options | (is_long ? DMGL_NO_RECURSE_LIMIT : 0), {}, false};
  request.sink.data = buffer.data();
  request.sink.capacity = buffer.size();
  const auto call = is_long ? run_on_big_stack : run;
  call(request);
  if (!request.ok) return {};
  if (request.sink.size <= buffer.size()) return {buffer.data(), request.sink.size};
  std::string text(request.sink.size, '\0');  // now the size is known
  request.sink.data = text.data();
  request.sink.capacity = text.size();
  call(request);
  return request.ok ? text : std::string();
}

Language guess_language(std::string_view name) {
  if (name.starts_with("_R")) return Language::kRust;
  // Legacy Rust is C++ mangling with a last component of "h" and 16 hexadecimal digits.
  if (name.starts_with("_ZN") && name.find("17h") != std::string_view::npos) return Language::kRust;
  if (name.starts_with("_Z") || name.starts_with("_GLOBAL_")) return Language::kCpp;
  return Language::kNone;
}

std::string simple(std::string_view linker_name, Language language) {
  const std::string name(linker_name.substr(0, clone_suffix_pos(linker_name)));
  if (language == Language::kRust) {
    if (const std::string text = call_libiberty(name, language, DMGL_PARAMS); !text.empty())
      return simple_rust_name(text);
    language = Language::kCpp;
  }
  if (language == Language::kCpp) {
    if (const std::string text = call_libiberty(name, language, DMGL_ANSI); !text.empty())
      return simple_cpp_name(text);
  }
  return name;
}

std::string full(std::string_view linker_name, Language language) {
  const std::string name(linker_name);
  for (const Language attempt : {Language::kRust, Language::kCpp}) {
    if (attempt == Language::kRust && language != Language::kRust) continue;
    std::string text = call_libiberty(name, attempt, DMGL_PARAMS | DMGL_ANSI);
    if (!text.empty()) return text;
  }
  return name;
}

}  // namespace

std::string demangle(std::string_view linker_name, DemangleLevel level) {
  if (level == DemangleLevel::kNone || linker_name.size() > kMaxMangledBytes)
    return std::string(linker_name);
  const Language language = guess_language(linker_name);
  if (level == DemangleLevel::kSimple) return simple(linker_name, language);
  return language == Language::kNone ? std::string(linker_name) : full(linker_name, language);
}

void demangle_names(Recording& recording, DemangleLevel level) {
  if (level == DemangleLevel::kNone) return;
  std::unordered_map<std::string, std::string> known;
  const auto rewrite = [&](std::string& name) {
    auto [found, added] = known.try_emplace(name);
    if (added) found->second = demangle(name, level);
    name = found->second;
  };
  for (Frame& frame : recording.frames) {
    // DWARF has no linker name for what is local to a file, but a name in C++ with all arguments.
    const bool source_name = frame.inlined() && guess_language(frame.function) == Language::kNone;
    const bool arguments = frame.function.find_first_of("<{") != std::string::npos;
    if (source_name && arguments && level == DemangleLevel::kSimple)
      frame.function = simple_cpp_name(frame.function);
    else
      rewrite(frame.function);
  }
  for (FunctionStats& function : recording.functions) {
    rewrite(function.name);
    std::vector<std::string> aliases;
    for (std::string& alias : function.aliases) {
      rewrite(alias);
      if (alias != function.name && std::ranges::find(aliases, alias) == aliases.end())
        aliases.push_back(std::move(alias));
    }
    function.aliases = std::move(aliases);
  }
}

}  // namespace callscope
