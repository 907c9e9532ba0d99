// SPDX-License-Identifier: Apache-2.0
// The recording: the one currency of callscope. Collectors fill it, userspace/store keeps it as an
// SQLite file, every report reads only it. Plain values, no I/O and no thread of its own; one
// thread at a time may touch an instance. Times are CLOCK_MONOTONIC nanoseconds unless the name
// says otherwise; t_ns counts from the start of the recording. Equality compares every field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace callscope {

struct Host {
  std::string kernel;   // uname -r
  std::string machine;  // uname -m
  std::string hostname;
  std::string cpu_model;
  std::uint32_t cpus = 0;  // online
  std::uint64_t memory_bytes = 0;

  bool operator==(const Host&) const = default;
};

struct Target {
  std::int32_t pid = 0;
  std::string comm;
  std::string exe;                 // path as the target sees it
  std::string cmdline;             // arguments joined by blanks
  std::string build_id;            // of the executable, lower-case hex; empty if it has none
  std::uint64_t start_ticks = 0;   // field 22 of /proc/PID/stat: tells a reused pid apart
  bool launched = false;           // started by callscope (record -- CMD)
  std::optional<int> exit_status;  // wait(2) status of a launched target that ended
  std::string ended_by;  // "duration", "signal", "target exit"; empty: recorder was killed

  bool operator==(const Target&) const = default;
};

enum class ModuleKind { kElf, kKernel, kVdso, kJit, kUnknown, kPython };

struct Module {
  std::uint32_t id = 0;  // index into Recording::modules
  ModuleKind kind = ModuleKind::kElf;
  // "/usr/lib/x.so", "[kernel]", "[vdso]", "[jit]", "[unknown]", "[stack]" (of the frame that
  // stands for those that are left out); of Python functions their file, as the interpreter names
  // it: "/srv/app.py", "<string>".
  std::string path;
  std::string build_id;  // lower-case hex; empty if none

  bool operator==(const Module&) const = default;
};

// One resolved code address, or a function that was inlined there. Unique by (module, addr,
// inline_depth), but an address may be known twice: as an instruction that was interrupted and as
// the return address of the call before it, which lies on a line of its own.
struct Frame {
  std::uint32_t id = 0;      // index into Recording::frames
  std::uint32_t module = 0;  // index into Recording::modules
  // ELF virtual address in the module; absolute for kernel and JIT. Of Python: number of the
  // function << 32 | line.
  std::uint64_t addr = 0;
  std::string function;  // linker name; display name once names were demangled; empty: unresolved
  std::uint64_t sym_off = 0;  // addr minus start of the function; 0 of an inlined one
  std::string file{};         // source file, by DWARF or Python; empty: not known
  std::uint32_t line = 0;     // in file: of the call, where a function is inlined; 0: not known
  std::uint32_t inline_depth = 0;  // 0: the function whose code it is; N: inlined N levels deep

  [[nodiscard]] bool inlined() const { return inline_depth > 0; }

  bool operator==(const Frame&) const = default;
};

// Why a stack has no further frames: at what its user half ended. As enum cs_stack_end of
// abi/code.h, but for kDeep.
enum class StackEnd {
  kUnknown,     // recorded by callscope 0.1
  kComplete,    // the outermost frame of the thread
  kDepth,       // more frames than are kept
  kNoMapping,   // a return address in no code that was known
  kNoTable,     // code without unwind table, whose frame pointers lead nowhere
  kJit,         // the same of code compiled at run time
  kBadRule,     // the table cannot express how to go on
  kNoRegister,  // the caller follows from a register that is not known any more
  kReadFault,   // stack memory that could not be read
  kBackward,    // the caller's frame would lie below
  kTrampoline,  // a return probe whose original address is not known
  kNoUser,      // no 64-bit user code
  kZeroReturn,  // 0 as return address: overwritten, or a stack that the program made begins there
  kDeep,        // the outermost frame of the thread, but frames in the middle are left out
};

// Frames from the leaf (index 0) to the root. Kernel frames, if any, come first. Functions inlined
// at an address, innermost first, come before the frame of the function around them.
struct Stack {
  std::uint32_t id = 0;
  std::vector<std::uint32_t> frames;  // Frame::id
  bool truncated = false;             // there are further frames: one half was cut
  StackEnd end = StackEnd::kUnknown;

  bool operator==(const Stack&) const = default;
};

struct Thread {
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  std::string comm;

  bool operator==(const Thread&) const = default;
};

// A process that was recorded: the target first, then further ones asked for and their children.
struct ProcessInfo {
  std::int32_t pid = 0;
  std::int32_t parent_pid = 0;  // of a followed child; 0: asked for by the user
  std::string comm;
  std::uint64_t since_ns = 0;  // when its functions were probed, from the start of the recording
  bool timed = false;          // its functions were probed

  bool operator==(const ProcessInfo&) const = default;
};

// How often one stack was seen on CPU in one thread.
struct CpuSamples {
  std::uint32_t stack = 0;  // Stack::id
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  std::uint64_t count = 0;
  std::uint64_t slow_count = 0;  // of these, taken inside calls of Recording::slow_calls

  bool operator==(const CpuSamples&) const = default;
};

// How long one thread waited in one stack, from when it left its CPU until it had one again. Waits
// that were open at the end are in it; those that began before the recording are not.
struct Waits {
  std::uint32_t stack = 0;  // Stack::id
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  std::uint64_t count = 0;
  std::uint64_t blocked_ns = 0;  // asleep: lock, I/O, timer
  std::uint64_t runq_ns = 0;     // ready, but without a CPU

  [[nodiscard]] std::uint64_t ns() const { return blocked_ns + runq_ns; }
  bool operator==(const Waits&) const = default;
};

// How often one thread touched memory that was not there yet, in one stack.
struct PageFaults {
  std::uint32_t stack = 0;  // Stack::id
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  std::uint64_t count = 0;  // of one page or more each

  bool operator==(const PageFaults&) const = default;
};

enum class ExitMode { kUretprobe, kRetSite, kEntryOnly };  // how the end of a call is seen

// One probed function. calls = returns + unwound + running + untimed + skipped. When the budget let
// only one in N calls be timed, each timed call stands for N in times and histogram.
struct FunctionStats {
  std::string name;                  // linker name, or display name once demangled
  std::vector<std::string> aliases;  // other names of the same address
  std::uint32_t module = 0;          // index into Recording::modules
  std::uint64_t addr = 0;            // ELF virtual address
  std::uint64_t size_bytes = 0;
  std::string file;        // source file of its entry, by DWARF; empty: not known
  std::uint32_t line = 0;  // in file; 0: not known
  ExitMode exit = ExitMode::kUretprobe;
  std::uint64_t site_addr = 0;       // of its entry probe: addr or a little behind; 0: not known
  bool emulated_entry = false;       // the kernel emulates the instruction there: a cheap probe
  bool emulated_exits = false;       // the same of all its exit sites
  std::uint64_t inlined_copies = 0;  // places where it is inlined: calls there are not seen

  std::uint64_t calls = 0;    // exact from attached_ns to detached_ns
  std::uint64_t returns = 0;  // calls that were timed
  std::uint64_t unwound = 0;  // entered, never returned: longjmp, throw, thread exit
  std::uint64_t threw = 0;    // of these, left by a C++ exception that was seen when it was caught
  std::uint64_t running = 0;  // still inside when the recording ended
  std::uint64_t untimed = 0;  // entered, but no return could be seen (too deep, or entry-only)
  std::uint64_t skipped = 0;  // counted, but left out of the timed ones to keep the budget
  std::uint64_t sample_every = 1;  // one in this many calls is timed, as of the end
  std::uint64_t untimed_ns = 0;  // when the budget ended its timing (calls still counted); 0: never
  std::uint64_t attached_ns = 0;  // when its probes came: loaded or found later; 0: at the start
  std::uint64_t detached_ns = 0;  // when the budget took its probes away; 0: never

  // Of the returns: left by a tail call of a function that is not probed, whose time is missing.
  std::uint64_t tail_exits = 0;

  std::uint64_t total_ns = 0;  // outermost activations only: recursion is not counted twice
  std::uint64_t self_ns = 0;   // total without the time in probed callees
  std::uint64_t sum_ns = 0;    // over all returned calls; average = sum_ns / sum of histogram
  std::uint64_t min_ns = 0;    // of returned calls; 0 if there is none
  std::uint64_t max_ns = 0;
  std::uint64_t probe_cost_ns = 0;  // predicted cost of entry + exit probe for one call

  // Of total_ns and self_ns: off CPU asleep (lock, I/O, timer), and ready but waiting for a CPU.
  // The rest is on-CPU time.
  std::uint64_t blocked_ns = 0;
  std::uint64_t runq_ns = 0;
  std::uint64_t self_blocked_ns = 0;
  std::uint64_t self_runq_ns = 0;

  // Non-empty slots of abi/histogram.h over returned calls: (slot, count), slots ascending.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> histogram;

  bool operator==(const FunctionStats&) const = default;
};

// One node of the tree of probed calls: a function called from the calls above it. A function that
// is called while it is open already is a leaf of its caller, marked recursive; what it calls hangs
// under its outermost node, so that the tree stays small. Times as in FunctionStats.
struct CallNode {
  static constexpr std::uint32_t kNoParent = 0xffffffff;

  std::uint32_t id = 0;              // index into Recording::call_nodes; parents come first
  std::uint32_t parent = kNoParent;  // CallNode::id; kNoParent: no probed function was open
  std::uint32_t function = 0;        // index into Recording::functions
  std::int32_t tid = 0;              // thread, when the tree was kept by thread; else 0
  bool recursive = false;            // its time is in an outer node already
  std::uint64_t calls = 0;           // timed ones that returned, not scaled up
  std::uint64_t unwound = 0;
  std::uint64_t total_ns = 0;
  std::uint64_t self_ns = 0;
  std::uint64_t max_ns = 0;  // of returned calls
  std::uint64_t blocked_ns = 0;
  std::uint64_t runq_ns = 0;
  std::uint64_t self_blocked_ns = 0;
  std::uint64_t self_runq_ns = 0;

  bool operator==(const CallNode&) const = default;
};

// Calls of one function that returned within one second of the recording.
struct LatencyColumn {
  std::uint32_t function = 0;  // index into Recording::functions
  std::uint32_t second = 0;    // t_ns / 1e9 of the returns
  std::vector<std::pair<std::uint32_t, std::uint64_t>> histogram;  // as in FunctionStats

  bool operator==(const LatencyColumn&) const = default;
};

// One call that took longer than its --slow threshold.
struct SlowCall {
  std::uint32_t function = 0;  // index into Recording::functions
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  std::uint64_t t_ns = 0;  // of its entry, from the start of the recording
  std::uint64_t duration_ns = 0;
  std::uint64_t blocked_ns = 0;  // the rest of the duration is on-CPU time
  std::uint64_t runq_ns = 0;
  std::optional<std::uint32_t> stack;  // Stack::id: the function itself first, then its callers
  // The first six integer arguments (rdi, rsi, rdx, rcx, r8, r9); absent: not known at the probe.
  std::vector<std::optional<std::uint64_t>> args;

  bool operator==(const SlowCall&) const = default;
};

// A span of --span, or a USDT marker whose hits are counted. A span goes from one point of the
// program to another; what pairs both is the thread, an argument, or the address of a
// callscope::Span. begun = finished + restarted + lost + abandoned + open.
struct SpanStats {
  std::string name;      // as given, or by the program; of a counted marker "PROVIDER:NAME"
  std::string from;      // as given: "FUNC", "FUNC@exit" or "usdt:PROVIDER:NAME"
  std::string to;        // empty: a counted marker, which has hits only
  std::string keyed_by;  // "thread", "argN" or "object"; empty: a counted marker

  std::uint64_t begun = 0;  // or hits
  std::uint64_t finished = 0;
  std::uint64_t restarted =
      0;  // begun again with the same key before the end; the later one counts
  std::uint64_t unmatched = 0;  // ends without a beginning: most began before the recording
  std::uint64_t open = 0;       // begun, not finished when the recording ended
  std::uint64_t abandoned = 0;  // begun by a thread that ended before the end
  std::uint64_t lost = 0;       // no room to remember the beginning
  std::uint64_t sum_ns = 0;
  std::uint64_t min_ns = 0;  // of finished ones; 0 if there is none
  std::uint64_t max_ns = 0;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> histogram;  // as in FunctionStats

  bool operator==(const SpanStats&) const = default;
};

// What one probe adds on this machine, measured at the start; 0 = not measured.
struct ProbeCosts {
  std::uint64_t emulated_entry_ns = 0;  // entry probe on an instruction that the kernel emulates
  std::uint64_t stepped_entry_ns = 0;   // on one that it single-steps
  std::uint64_t return_ns = 0;          // a return probe
  std::uint64_t emulated_exit_ns = 0;   // exit site, emulated (tail jump, slid ret)
  std::uint64_t stepped_exit_ns = 0;    // exit site on a ret
  std::uint64_t counted_entry_ns = 0;   // an emulated entry that is only counted

  bool operator==(const ProbeCosts&) const = default;
};

// State of the target process at one moment. Counters are totals since the process started.
struct ResourceSnapshot {
  std::uint64_t t_ns = 0;
  std::uint64_t rss_bytes = 0;
  std::uint64_t vms_bytes = 0;
  std::uint64_t pss_bytes = 0;
  std::uint64_t swap_bytes = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t threads = 0;
  std::uint64_t fds = 0;  // all kinds
  std::uint64_t fd_files = 0;
  std::uint64_t fd_sockets = 0;
  std::uint64_t fd_pipes = 0;
  std::uint64_t fd_anon = 0;   // eventfd, epoll, timerfd, memfd ... (anon_inode)
  std::uint64_t fd_other = 0;  // devices, directories, what could not be read
  std::uint64_t utime_ns = 0;
  std::uint64_t stime_ns = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t read_bytes = 0;     // storage reads (/proc/PID/io)
  std::uint64_t written_bytes = 0;  // storage writes

  bool operator==(const ResourceSnapshot&) const = default;
};

// One counted imperfection or note. value 0 is stored too: a reader sees what was watched.
struct QualityItem {
  std::string key;  // stable, snake_case: "ring_full", "shadow_stack_depth"
  std::uint64_t value = 0;
  bool loss = false;    // true: a value above 0 makes the recording incomplete (--strict)
  std::string meaning;  // one line for the reader

  bool operator==(const QualityItem&) const = default;
};

struct Recording {
  std::string tool_version;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t duration_ns = 0;
  bool finished = false;  // false: the recorder was killed, data up to the last flush
  Host host;
  Target target;
  std::uint32_t sample_hz = 0;  // asked for; 0 = CPU sampling off
  std::string sample_event;     // "cpu-clock" or "cycles"
  std::string probe_mechanism;  // "uprobe session", "uprobe_multi", "perf-event uprobe", "" = none
  ProbeCosts probe_costs;
  double budget_percent = 0;     // of one CPU, for all probes together; 0: no limit
  bool calls_by_thread = false;  // call_nodes are kept by thread
  bool off_cpu_split = true;     // false: blocked_ns and runq_ns were not measured and are all 0
  std::vector<ProcessInfo> processes;
  std::vector<Module> modules;
  std::vector<Frame> frames;
  std::vector<Stack> stacks;
  std::vector<Thread> threads;
  std::vector<CpuSamples> cpu;
  bool off_cpu = false;            // waits were recorded
  std::vector<Waits> waits;        // with off_cpu
  bool page_faults = false;        // page faults were recorded
  std::vector<PageFaults> faults;  // with page_faults
  std::vector<FunctionStats> functions;
  std::vector<CallNode> call_nodes;
  std::vector<LatencyColumn> latency_columns;  // by second
  std::vector<SlowCall> slow_calls;            // by time of their end
  std::vector<SpanStats> spans;
  std::vector<ResourceSnapshot> snapshots;
  std::vector<QualityItem> quality;
  std::vector<std::string> notes;  // one line each: what was decided for the user and why

  bool operator==(const Recording&) const = default;
};

}  // namespace callscope
