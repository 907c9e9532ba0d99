// SPDX-License-Identifier: Apache-2.0
#include "symbols/simple_name.hpp"

#include <array>
#include <cctype>

namespace callscope {
namespace {

constexpr std::string_view kAnonymous = "(anonymous namespace)";

// What libiberty writes before the name of a compiler-made function or object.
constexpr std::array<std::string_view, 13> kPrefixes = {"non-virtual thunk to ",
                                                        "virtual thunk to ",
                                                        "covariant return thunk to ",
                                                        "transaction clone for ",
                                                        "non-transaction clone for ",
                                                        "global constructors keyed to ",
                                                        "global destructors keyed to ",
                                                        "TLS init function for ",
                                                        "TLS wrapper function for ",
                                                        "guard variable for ",
                                                        "vtable for ",
                                                        "typeinfo for ",
                                                        "typeinfo name for "};

// Longest first, so that operator<=> is not taken for operator<.
constexpr std::array<std::string_view, 41> kOperators = {
    "<=>", "<<=", ">>=", "->*", "()", "[]", "->", "<<", ">>", "<=", ">=", "==", "!=", "&&",
    "||",  "++",  "--",  "+=",  "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<?", ">?", "<",
    ">",   "=",   "!",   "+",   "-",  "*",  "/",  "%",  "&",  "|",  "^",  "~",  ","};

bool is_ident(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}

// A position in the name, and how to step over its bracketed parts.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  [[nodiscard]] bool done() const { return pos_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }
  char take() { return text_[pos_++]; }
  bool take(std::string_view word) {
    if (!text_.substr(pos_).starts_with(word)) return false;
    pos_ += word.size();
    return true;
  }
  [[nodiscard]] bool at_operator() const {
    constexpr std::string_view kWord = "operator";
    return text_.substr(pos_).starts_with(kWord) && !is_ident(peek(kWord.size())) &&
           (pos_ == 0 || !is_ident(text_[pos_ - 1]));
  }
  // After the word "operator": its symbol; empty for new, delete, literals and conversions.
  std::string_view take_operator_symbol() {
    for (const std::string_view symbol : kOperators)
      if (take(symbol)) return symbol;
    return {};
  }
  // From an opening parenthesis past the matching one; false: there is none. In parentheses < and >
  // may be comparisons, so they are not counted.
  bool skip_parens() {
    int depth = 0;
    while (!done()) {
      const char c = take();
      if (c == '(') ++depth;
      if (c == ')' && --depth == 0) return true;
    }
    return false;
  }
  // From '<' past the matching '>'.
  bool skip_angles() {
    int depth = 0;
    while (!done()) {
      if (at_operator()) {
        take("operator");
        take_operator_symbol();
        continue;
      }
      if (peek() == '(') {
        if (!skip_parens()) return false;
        continue;
      }
      if (take("->")) continue;
      const char c = take();
      if (c == '<') ++depth;
      if (c == '>' && --depth == 0) return true;
    }
    return false;
  }

 private:
  std::string_view text_;
  std::size_t pos_ = 0;
};

class CppNameScanner {
 public:
  explicit CppNameScanner(std::string_view text) : in_(text) {}

  // The short name; empty: brackets do not match.
  std::string scan() {
    for (const std::string_view prefix : kPrefixes) {
      if (in_.take(prefix)) {
        out_ = prefix;
        name_start_ = prefix.size();
        break;
      }
    }
    while (!in_.done())
      if (!step()) return {};
    while (out_.size() > name_start_ && out_.ends_with(' ')) out_.pop_back();
    const std::string_view name = std::string_view(out_).substr(name_start_);
    return name.empty() || name.starts_with("::") ? std::string() : out_;
  }

 private:
  bool step() {
    if (in_.at_operator()) return take_operator();
    switch (in_.peek()) {
      case '<':
        return in_.skip_angles();
      case '(':
        return take_parens();
      case '{':
        return take_braces();
      case '[':
        return take_brackets();
      case ' ':
        in_.take();
        if (in_conversion_) {
          out_ += ' ';
        } else {
          out_.resize(name_start_);  // what came before was a return type
        }
        return true;
      default:
        out_ += in_.take();
        return true;
    }
  }

  bool take_operator() {
    in_.take("operator");
    out_ += "operator";
    if (const std::string_view symbol = in_.take_operator_symbol(); !symbol.empty()) {
      out_ += symbol;
      if (in_.peek() == ' ' && in_.peek(1) == '<') in_.take();  // "operator< <int>"
      return true;
    }
    for (const std::string_view word :
         {" new[]", " delete[]", " new", " delete", " co_await", "\"\" ", "\"\""}) {
      if (!in_.take(word)) continue;
      out_ += word;
      return true;
    }
    in_conversion_ = true;  // the type that follows is a part of the name
    return true;
  }

  bool take_parens() {
    if (in_.take(kAnonymous)) {
      out_ += kAnonymous;
      return true;
    }
    in_conversion_ = false;
    if (!in_.skip_parens()) return false;
    // Qualifiers of the enclosing member function: "f(int) const::{lambda()#1}".
    while (in_.take(" const") || in_.take(" volatile") || in_.take(" &&") || in_.take(" &")) {
    }
    return true;
  }

  // "{lambda(int)#1}" becomes "{lambda()#1}".
  bool take_braces() {
    while (!in_.done()) {
      if (in_.peek() == '(') {
        if (!in_.skip_parens()) return false;
        out_ += "()";
      } else if (in_.peek() == '<') {
        if (!in_.skip_angles()) return false;
      } else {
        out_ += in_.peek();
        if (in_.take() == '}') return true;
      }
    }
    return false;
  }

  bool take_brackets() {
    const bool tag = in_.take("[abi:");
    while (!in_.done()) {
      const char c = in_.take();
      if (!tag) out_ += c;
      if (c == ']') return true;
    }
    return false;
  }

  Cursor in_;
  std::string out_;
  std::size_t name_start_ = 0;
  bool in_conversion_ = false;
};

}  // namespace

std::string simple_cpp_name(std::string_view demangled) {
  std::string name = CppNameScanner(demangled).scan();
  return name.empty() ? std::string(demangled) : name;
}

std::string simple_rust_name(std::string_view demangled) {
  Cursor in(demangled);
  std::string out;
  int kept = 0;  // open brackets of "<T as Trait>"
  while (!in.done()) {
    const bool path_start =
        out.empty() || (!is_ident(out.back()) && out.back() != ':' && out.back() != '}');
    if (in.take("->")) {
      out += "->";
    } else if (in.peek() == '<' && !path_start) {
      if (!in.skip_angles()) return std::string(demangled);
      if (out.ends_with("::")) out.resize(out.size() - 2);
    } else {
      if (in.peek() == '<') ++kept;
      if (in.peek() == '>' && --kept < 0) return std::string(demangled);
      out += in.take();
    }
  }
  return kept == 0 ? out : std::string(demangled);
}

}  // namespace callscope
