-- SPDX-License-Identifier: Apache-2.0
-- The schema of format 1 as callscope 0.1 wrote it: input of test_older_format.cpp. Not to be changed.
-- A callscope recording (*.cscope): one SQLite database, format version 1.
-- Header: application_id 0x4373636F ("Csco"), user_version = format version. Both are read before
-- anything else; table recording and its column tool_version stay in every later version.
-- Times: CLOCK_MONOTONIC nanoseconds; t_ns counts from the start of the recording.
-- Unsigned 64-bit values are stored as SQLite's signed integers: addresses of the kernel look
-- negative; printf('%x', addr) shows them right. Absent texts are '', absent numbers NULL.
PRAGMA application_id = 1131635567;
PRAGMA user_version = 1;

-- The run as a whole: exactly one row (none: the recorder died before its first flush).
CREATE TABLE recording (
  id              INTEGER PRIMARY KEY CHECK (id = 1),
  tool_version    TEXT NOT NULL,     -- of the callscope that recorded
  start_unix_ns   INTEGER NOT NULL,  -- wall clock at the start, since 1970
  duration_ns     INTEGER NOT NULL,  -- up to the end, or to the last flush when not finished
  finished        INTEGER NOT NULL,  -- 1: ended normally; 0: recorder killed, or still recording
  sample_hz       INTEGER NOT NULL,  -- CPU samples a second and CPU asked for; 0: off
  sample_event    TEXT NOT NULL,     -- "cpu-clock" or "cycles"
  probe_mechanism TEXT NOT NULL      -- "uprobe session", ...; '' if no function was probed
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

-- Files and pseudo files that code was seen in. Ids count from 0 without gaps.
CREATE TABLE module (
  id       INTEGER PRIMARY KEY,
  kind     TEXT NOT NULL,  -- "elf", "kernel", "vdso", "jit", "unknown"
  path     TEXT NOT NULL,
  build_id TEXT NOT NULL   -- lower-case hex
);

-- Code addresses, unique by (module, addr). Ids count from 0 without gaps.
CREATE TABLE frame (
  id       INTEGER PRIMARY KEY,
  module   INTEGER NOT NULL,  -- module.id
  addr     INTEGER NOT NULL,  -- ELF virtual address; absolute for kernel and JIT
  function TEXT NOT NULL,     -- linker name; '' if unresolved
  sym_off  INTEGER NOT NULL   -- addr minus start of the function
);

-- Call stacks. Ids count from 0 without gaps.
CREATE TABLE stack (
  id        INTEGER PRIMARY KEY,
  truncated INTEGER NOT NULL,  -- 1: the walk hit its depth limit or could not read the stack
  frames    TEXT NOT NULL      -- JSON array of frame.id, leaf first; see view stack_frame
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
  stack INTEGER NOT NULL,  -- stack.id
  pid   INTEGER NOT NULL,
  tid   INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (stack, pid, tid)
) WITHOUT ROWID;

-- Probed functions. calls = returns + unwound + running + untimed.
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
  sum_ns        INTEGER NOT NULL,  -- over all returned calls; average = sum_ns / returns
  min_ns        INTEGER NOT NULL,  -- of returned calls; 0 if there is none
  max_ns        INTEGER NOT NULL,
  probe_cost_ns INTEGER NOT NULL,  -- predicted cost of both probes for one call
  tail_exits    INTEGER NOT NULL   -- of the returns: left by a tail call whose time is missing
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

-- The histogram with the bounds of each slot: low_ns <= duration < high_ns.
CREATE VIEW function_latency AS
  SELECT function.name AS name, slot,
         CASE WHEN slot < 16 THEN slot ELSE (16 + slot % 16) << (slot / 16 - 1) END AS low_ns,
         CASE WHEN slot < 15 THEN slot + 1
              ELSE (16 + (slot + 1) % 16) << ((slot + 1) / 16 - 1) END AS high_ns,
         function_histogram.count AS count
  FROM function_histogram JOIN function ON function.id = function_histogram.function;
