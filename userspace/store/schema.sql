-- SPDX-License-Identifier: Apache-2.0
-- A callscope recording (*.cscope): one SQLite database, format version 3.
-- Header: application_id 0x4373636F ("Csco"), user_version = format version. Both are read before
-- anything else; table recording and its column tool_version stay in every later version.
-- Times: CLOCK_MONOTONIC nanoseconds; t_ns counts from the start of the recording.
-- format_1.sql and format_2.sql tell what earlier formats lacked; they can still be read.
-- Unsigned 64-bit values are stored as SQLite's signed integers: addresses of the kernel look
-- negative; printf('%x', addr) shows them right. Absent texts are '', absent numbers NULL.
PRAGMA application_id = 1131635567;
PRAGMA user_version = 3;

-- The run as a whole: exactly one row (none: the recorder died before its first flush).
CREATE TABLE recording (
  id              INTEGER PRIMARY KEY CHECK (id = 1),
  tool_version    TEXT NOT NULL,     -- of the callscope that recorded
  start_unix_ns   INTEGER NOT NULL,  -- wall clock at the start, since 1970
  duration_ns     INTEGER NOT NULL,  -- up to the end, or to the last flush when not finished
  finished        INTEGER NOT NULL,  -- 1: ended normally; 0: recorder killed, or still recording
  sample_hz       INTEGER NOT NULL,  -- CPU samples a second and CPU asked for; 0: off
  sample_event    TEXT NOT NULL,     -- "cpu-clock" or "cycles"
  probe_mechanism TEXT NOT NULL,     -- "uprobe session", ...; '' if no function was probed
  budget_percent  REAL NOT NULL,     -- of one CPU, for all probes together; 0: no limit
  calls_by_thread INTEGER NOT NULL,  -- 1: call_node has a tree for each thread
  off_cpu_split   INTEGER NOT NULL,  -- 0: blocked_ns and runq_ns were not measured, and are 0
  off_cpu         INTEGER NOT NULL,  -- 1: table wait was recorded
  page_faults     INTEGER NOT NULL   -- 1: table page_fault was recorded
);

-- What one probe added on this machine, measured at the start: one row; 0 = not measured.
CREATE TABLE probe_cost (
  id                INTEGER PRIMARY KEY CHECK (id = 1),
  emulated_entry_ns INTEGER NOT NULL,  -- entry probe on an instruction that the kernel emulates
  stepped_entry_ns  INTEGER NOT NULL,  -- on one that it single-steps
  return_ns         INTEGER NOT NULL,  -- a return probe
  emulated_exit_ns  INTEGER NOT NULL,  -- exit site on a tail jump or a slid ret
  stepped_exit_ns   INTEGER NOT NULL,  -- exit site on a ret
  counted_entry_ns  INTEGER NOT NULL   -- an emulated entry that is only counted
);

-- The machine: one row.
CREATE TABLE host (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  kernel       TEXT NOT NULL,     -- uname -r
  machine      TEXT NOT NULL,     -- uname -m
  hostname     TEXT NOT NULL,
  cpu_model    TEXT NOT NULL,
  cpus         INTEGER NOT NULL,  -- online
  memory_bytes INTEGER NOT NULL
);

-- The recorded process: one row.
CREATE TABLE target (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  pid         INTEGER NOT NULL,
  comm        TEXT NOT NULL,
  exe         TEXT NOT NULL,     -- path as the target sees it
  cmdline     TEXT NOT NULL,     -- arguments joined by blanks
  build_id    TEXT NOT NULL,     -- of the executable, lower-case hex
  start_ticks INTEGER NOT NULL,  -- field 22 of /proc/PID/stat: tells a reused pid apart
  launched    INTEGER NOT NULL,  -- 1: started by callscope (record -- CMD)
  exit_status INTEGER,           -- wait(2) status of a launched target that ended
  ended_by    TEXT NOT NULL      -- "duration", "signal", "target exit"; '' if the recorder was killed
);

-- Every process that was recorded: the target first, then further ones and their children.
CREATE TABLE process (
  id         INTEGER PRIMARY KEY,  -- position, from 0
  pid        INTEGER NOT NULL,
  parent_pid INTEGER NOT NULL,     -- of a followed child; 0: asked for by the user
  comm       TEXT NOT NULL,
  since_ns   INTEGER NOT NULL,     -- when its functions were probed, from the start
  timed      INTEGER NOT NULL      -- 1: its functions were probed
);

-- Files and pseudo files that code was seen in. Ids count from 0 without gaps.
CREATE TABLE module (
  id       INTEGER PRIMARY KEY,
  kind     TEXT NOT NULL,  -- "elf", "kernel", "vdso", "jit", "unknown", "python"
  path     TEXT NOT NULL,
  build_id TEXT NOT NULL   -- lower-case hex
);

-- Code addresses and the functions inlined there, unique by (module, addr, inline_depth); but an
-- address may be there as an interrupted instruction and as a return address. Ids count from 0
-- without gaps.
CREATE TABLE frame (
  id       INTEGER PRIMARY KEY,
  module   INTEGER NOT NULL,  -- module.id
  addr     INTEGER NOT NULL,  -- ELF virtual address; absolute for kernel and JIT
  function TEXT NOT NULL,     -- linker name; '' if unresolved
  sym_off  INTEGER NOT NULL,  -- addr minus start of the function; 0 of an inlined one
  file     TEXT NOT NULL DEFAULT '',       -- source file, by DWARF; '' if not known
  line     INTEGER NOT NULL DEFAULT 0,     -- of the call, where a function is inlined; 0: not known
  inline_depth INTEGER NOT NULL DEFAULT 0  -- 0: its code is at addr; N: inlined there N levels deep
);

-- Call stacks. Ids count from 0 without gaps.
CREATE TABLE stack (
  id        INTEGER PRIMARY KEY,
  truncated INTEGER NOT NULL,  -- 1: there are further frames
  frames    TEXT NOT NULL,     -- JSON array of frame.id, leaf first; see view stack_frame
  walk_end  TEXT NOT NULL      -- why the walk ended: "complete", "depth", "no-mapping", "no-table",
                               -- "jit", "bad-rule", "no-register", "read-fault", "backward",
                               -- "trampoline", "no-user", "zero-return", "deep"; "unknown" of 0.1
);

-- Threads that were seen. Ids count from 0 without gaps.
CREATE TABLE thread (
  id   INTEGER PRIMARY KEY,
  pid  INTEGER NOT NULL,
  tid  INTEGER NOT NULL,
  comm TEXT NOT NULL
);

-- How often a stack was seen on CPU in a thread.
CREATE TABLE cpu_sample (
  stack      INTEGER NOT NULL,  -- stack.id
  pid        INTEGER NOT NULL,
  tid        INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  slow_count INTEGER NOT NULL,  -- of these, taken inside calls that table slow_call lists
  PRIMARY KEY (stack, pid, tid)
) WITHOUT ROWID;

-- How long a thread waited in a stack: from when it left its CPU until it had one again.
CREATE TABLE wait (
  stack      INTEGER NOT NULL,  -- stack.id
  pid        INTEGER NOT NULL,
  tid        INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  blocked_ns INTEGER NOT NULL,  -- asleep: lock, I/O, timer
  runq_ns    INTEGER NOT NULL,  -- ready, waiting for a CPU
  PRIMARY KEY (stack, pid, tid)
) WITHOUT ROWID;

-- How often a thread touched memory in a stack that was not there yet: one page or more each time.
CREATE TABLE page_fault (
  stack INTEGER NOT NULL,  -- stack.id
  pid   INTEGER NOT NULL,
  tid   INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (stack, pid, tid)
) WITHOUT ROWID;

-- Probed functions. calls = returns + unwound + running + untimed + skipped. Each timed call stands
-- for as many as were counted while one in N was timed: times and histograms are scaled up.
CREATE TABLE function (
  id            INTEGER PRIMARY KEY,
  name          TEXT NOT NULL,     -- linker name
  module        INTEGER NOT NULL,  -- module.id
  addr          INTEGER NOT NULL,  -- ELF virtual address
  size_bytes    INTEGER NOT NULL,
  exit_mode     TEXT NOT NULL,     -- "uretprobe", "ret-site", "entry-only"
  calls         INTEGER NOT NULL,
  returns       INTEGER NOT NULL,
  unwound       INTEGER NOT NULL,  -- entered, never returned: longjmp, throw, thread exit
  running       INTEGER NOT NULL,  -- still inside when the recording ended
  untimed       INTEGER NOT NULL,  -- entered, but no return could be seen
  total_ns      INTEGER NOT NULL,  -- outermost activations only
  self_ns       INTEGER NOT NULL,  -- total without the time in probed callees
  sum_ns        INTEGER NOT NULL,  -- over all returned calls; average = sum_ns / sum of the histogram
  min_ns        INTEGER NOT NULL,  -- of returned calls; 0 if there is none
  max_ns        INTEGER NOT NULL,
  probe_cost_ns INTEGER NOT NULL,  -- predicted cost of both probes for one call
  tail_exits    INTEGER NOT NULL,  -- of the returns: left by a tail call whose time is missing
  site_addr       INTEGER NOT NULL,  -- of the entry probe: addr or a little behind; 0: not known
  emulated_entry  INTEGER NOT NULL,  -- 1: the kernel emulates the instruction there: cheap
  emulated_exits  INTEGER NOT NULL,  -- 1: the same of all its exit sites
  inlined_copies  INTEGER NOT NULL,  -- places where it is inlined: calls there are not seen
  threw           INTEGER NOT NULL,  -- of the unwound: left by a C++ exception, seen when caught
  skipped         INTEGER NOT NULL,  -- counted but not timed, to keep the budget
  sample_every    INTEGER NOT NULL,  -- one in this many calls is timed, as of the end
  untimed_ns      INTEGER NOT NULL,  -- when the budget ended its timing; 0: never
  detached_ns     INTEGER NOT NULL,  -- when the budget took its probes away; 0: never
  blocked_ns      INTEGER NOT NULL,  -- of total_ns: asleep (lock, I/O, timer)
  runq_ns         INTEGER NOT NULL,  -- of total_ns: ready, waiting for a CPU
  self_blocked_ns INTEGER NOT NULL,  -- of self_ns
  self_runq_ns    INTEGER NOT NULL,  -- of self_ns
  attached_ns     INTEGER NOT NULL,  -- when its probes came, if later than the start; else 0
  file            TEXT NOT NULL DEFAULT '',   -- source file of its entry, by DWARF; '' if not known
  line            INTEGER NOT NULL DEFAULT 0  -- in file; 0: not known
);

-- Other names of the address of a function.
CREATE TABLE function_alias (
  function INTEGER NOT NULL,  -- function.id
  position INTEGER NOT NULL,  -- from 0
  name     TEXT NOT NULL,
  PRIMARY KEY (function, position)
) WITHOUT ROWID;

-- Log-linear latency histogram of returned calls; only slots that are not empty.
-- 16 slots for each power of two; view function_latency has their bounds.
CREATE TABLE function_histogram (
  function INTEGER NOT NULL,  -- function.id
  slot     INTEGER NOT NULL,
  count    INTEGER NOT NULL,
  PRIMARY KEY (function, slot)
) WITHOUT ROWID;

-- The tree of probed calls: a function called from the functions above it; times as in function.
-- A call of a function that is open already is a leaf of its caller, marked recursive.
CREATE TABLE call_node (
  id              INTEGER PRIMARY KEY,  -- from 0 without gaps; parents come first
  parent          INTEGER,              -- call_node.id; NULL: no probed function was open
  function        INTEGER NOT NULL,     -- function.id
  tid             INTEGER NOT NULL,     -- 0 unless recording.calls_by_thread
  recursive       INTEGER NOT NULL,     -- 1: its time is in an outer node already
  calls           INTEGER NOT NULL,     -- timed ones that returned
  unwound         INTEGER NOT NULL,
  total_ns        INTEGER NOT NULL,
  self_ns         INTEGER NOT NULL,
  max_ns          INTEGER NOT NULL,     -- of returned calls
  blocked_ns      INTEGER NOT NULL,
  runq_ns         INTEGER NOT NULL,
  self_blocked_ns INTEGER NOT NULL,
  self_runq_ns    INTEGER NOT NULL
);

-- Latency over time: calls of a function that returned in one second of the recording.
CREATE TABLE latency (
  second    INTEGER NOT NULL,  -- t_ns / 1e9 of the returns
  function  INTEGER NOT NULL,  -- function.id
  histogram TEXT NOT NULL,     -- JSON object {"slot":count}; view function_latency has the bounds
  PRIMARY KEY (second, function)
) WITHOUT ROWID;

-- Calls that took longer than their --slow threshold, by the time of their end.
CREATE TABLE slow_call (
  id          INTEGER PRIMARY KEY,  -- from 0 without gaps
  function    INTEGER NOT NULL,     -- function.id
  pid         INTEGER NOT NULL,
  tid         INTEGER NOT NULL,
  t_ns        INTEGER NOT NULL,     -- of the entry
  duration_ns INTEGER NOT NULL,
  blocked_ns  INTEGER NOT NULL,     -- of the duration: asleep
  runq_ns     INTEGER NOT NULL,     -- of the duration: ready, waiting for a CPU
  stack       INTEGER,              -- stack.id at the entry, the function itself first
  args        TEXT NOT NULL         -- JSON array of rdi, rsi, rdx, rcx, r8, r9; null: not known
);

-- Spans (record --span) and counted USDT markers (record -f usdt:...). Ids count from 0 without gaps.
-- begun = finished + restarted + open + abandoned + lost.
CREATE TABLE span (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  from_point TEXT NOT NULL,     -- "FUNC", "FUNC@exit" or "usdt:PROVIDER:NAME"
  to_point   TEXT NOT NULL,     -- '': a marker that is only counted
  keyed_by   TEXT NOT NULL,     -- what pairs both points: "thread", "argN", "object"; '' of a marker
  begun      INTEGER NOT NULL,  -- hits of a marker
  finished   INTEGER NOT NULL,
  restarted  INTEGER NOT NULL,  -- begun again with the same key before the end; the later one counts
  unmatched  INTEGER NOT NULL,  -- ends without a beginning
  open       INTEGER NOT NULL,  -- begun, not finished when the recording ended
  abandoned  INTEGER NOT NULL,  -- begun by a thread that ended before the end
  lost       INTEGER NOT NULL,  -- no room to remember the beginning
  sum_ns     INTEGER NOT NULL,  -- over all finished ones
  min_ns     INTEGER NOT NULL,  -- of finished ones; 0 if there is none
  max_ns     INTEGER NOT NULL
);

-- Histogram of finished spans, as function_histogram.
CREATE TABLE span_histogram (
  span  INTEGER NOT NULL,  -- span.id
  slot  INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (span, slot)
) WITHOUT ROWID;

-- State of the process over time. Faults, CPU times, switches and bytes count from process start.
CREATE TABLE snapshot (
  t_ns                 INTEGER PRIMARY KEY,
  rss_bytes            INTEGER NOT NULL,
  vms_bytes            INTEGER NOT NULL,
  pss_bytes            INTEGER NOT NULL,
  swap_bytes           INTEGER NOT NULL,
  minor_faults         INTEGER NOT NULL,
  major_faults         INTEGER NOT NULL,
  threads              INTEGER NOT NULL,
  fds                  INTEGER NOT NULL,  -- open file descriptors of all kinds
  fd_files             INTEGER NOT NULL,
  fd_sockets           INTEGER NOT NULL,
  fd_pipes             INTEGER NOT NULL,
  fd_anon              INTEGER NOT NULL,  -- eventfd, epoll, timerfd, memfd ...
  fd_other             INTEGER NOT NULL,
  utime_ns             INTEGER NOT NULL,
  stime_ns             INTEGER NOT NULL,
  voluntary_switches   INTEGER NOT NULL,
  involuntary_switches INTEGER NOT NULL,
  read_bytes           INTEGER NOT NULL,  -- storage reads
  written_bytes        INTEGER NOT NULL   -- storage writes
);

-- What was lost, cut or merely counted. Zeroes are stored: they say what was watched.
CREATE TABLE quality (
  id      INTEGER PRIMARY KEY,  -- position in the report
  key     TEXT NOT NULL,        -- stable, snake_case
  value   INTEGER NOT NULL,
  loss    INTEGER NOT NULL,     -- 1: a value above 0 makes the recording incomplete
  meaning TEXT NOT NULL         -- one line for the reader
);

-- One line each: what was decided for the user and why.
CREATE TABLE note (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL
);

-- Each frame of each stack as a row; depth 0 is the leaf.
CREATE VIEW stack_frame AS
  SELECT stack.id AS stack, entry.key AS depth, entry.value AS frame
  FROM stack, json_each(stack.frames) AS entry;

-- The tree by name: one row for each function and the probed function that called it.
CREATE VIEW function_caller AS
  SELECT function.name AS name, outer_function.name AS caller, sum(call_node.calls) AS calls,
         sum(call_node.total_ns) AS total_ns, sum(call_node.self_ns) AS self_ns
  FROM call_node JOIN function ON function.id = call_node.function
       LEFT JOIN call_node AS outer_node ON outer_node.id = call_node.parent
       LEFT JOIN function AS outer_function ON outer_function.id = outer_node.function
  GROUP BY call_node.function, outer_node.function;

-- The histogram with the bounds of each slot: low_ns <= duration < high_ns.
CREATE VIEW function_latency AS
  SELECT function.name AS name, slot,
         CASE WHEN slot < 16 THEN slot ELSE (16 + slot % 16) << (slot / 16 - 1) END AS low_ns,
         CASE WHEN slot < 15 THEN slot + 1
              ELSE (16 + (slot + 1) % 16) << ((slot + 1) / 16 - 1) END AS high_ns,
         function_histogram.count AS count
  FROM function_histogram JOIN function ON function.id = function_histogram.function;
