// SPDX-License-Identifier: Apache-2.0
// Spans of your own: `callscope::Span span("parse");` marks the time from here to the end of the
// scope. While nobody listens that costs a load and a branch at both ends (0.5 ns); while
// `callscope record --span 'parse'` runs, every span is timed. Copy this file into any project: it
// needs C++17, GCC or Clang, and nothing else. Where it cannot work (not x86-64, not ELF) it
// compiles to nothing. Any thread; never allocates, never fails. A span may begin on one thread and
// end on another, as the member of an object that outlives the scope.
//
// How it works: both ends are USDT markers, provider "callscope", in the format of SystemTap's
// sys/sdt.h (https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation). Any other tool
// for USDT sees them too: span_begin has the name and the key as arguments, span_end the key, which
// is the address of the Span and so tells apart all that are open at one time. The semaphore, which
// the kernel raises while a probe is there, is what the branch looks at.
#pragma once

#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(__ILP32__)

namespace callscope {
namespace span_detail {

// Must lie in the file, not in .bss: the kernel finds it by its file offset. The markers below know
// it by this name; each program and library has its own.
extern "C" {
__attribute__((visibility("hidden"), weak, used,
               section(".probes"))) volatile unsigned short callscope_span_semaphore = 0;
}

// One note, in the section group of the function that it stands in, so that they stay or go
// together. The two functions below differ in name and arguments only.
#define CALLSCOPE_SPAN_MARKER(name, arguments)                            \
  "990: nop\n"                                                            \
  ".pushsection .note.stapsdt,\"?\",\"note\"\n"                           \
  ".balign 4\n"                                                           \
  ".4byte 992f-991f, 994f-993f, 3\n"                                      \
  "991: .asciz \"stapsdt\"\n"                                             \
  "992: .balign 4\n"                                                      \
  "993: .8byte 990b\n"                                                    \
  ".8byte _.stapsdt.base\n"                                               \
  ".8byte callscope_span_semaphore\n"                                     \
  ".asciz \"callscope\"\n"                                                \
  ".asciz \"" name                                                        \
  "\"\n"                                                                  \
  ".asciz \"" arguments                                                   \
  "\"\n"                                                                  \
  "994: .balign 4\n"                                                      \
  ".popsection\n"                                                         \
  ".ifndef _.stapsdt.base\n"                                              \
  ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
  ".weak _.stapsdt.base\n"                                                \
  ".hidden _.stapsdt.base\n"                                              \
  "_.stapsdt.base: .space 1\n"                                            \
  ".size _.stapsdt.base, 1\n"                                             \
  ".popsection\n"                                                         \
  ".endif\n"

[[gnu::noinline, gnu::cold]] inline void mark_begin(const char* name, void* key) noexcept {
  // The name is read by the probe, which cannot wait for a page that was never touched.
  if (name != nullptr) (void)*static_cast<const volatile char*>(name);
  __asm__ volatile(CALLSCOPE_SPAN_MARKER("span_begin", "8@%%rdi 8@%%rsi") : : "D"(name), "S"(key));
}

[[gnu::noinline, gnu::cold]] inline void mark_end(void* key) noexcept {
  __asm__ volatile(CALLSCOPE_SPAN_MARKER("span_end", "8@%%rdi") : : "D"(key));
}

#undef CALLSCOPE_SPAN_MARKER

}  // namespace span_detail

class Span {
 public:
  // name must stay what it is during the call only; up to 63 bytes of it are shown.
  [[nodiscard]] explicit Span(const char* name) noexcept {
    if (__builtin_expect(span_detail::callscope_span_semaphore != 0, 0))
      span_detail::mark_begin(name, this);
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  ~Span() {
    if (__builtin_expect(span_detail::callscope_span_semaphore != 0, 0))
      span_detail::mark_end(this);
  }
};

}  // namespace callscope

#else

namespace callscope {
class Span {
 public:
  [[nodiscard]] explicit Span(const char*) noexcept {}
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  ~Span() {}
};
}  // namespace callscope

#endif
