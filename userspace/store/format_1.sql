-- SPDX-License-Identifier: Apache-2.0
-- Shows a recording of format 1 (callscope 0.1) as one of format 3 without touching the file: what is
-- temporary hides what has the same name. What format 1 did not record is 0, empty or absent.
CREATE TEMP VIEW recording AS
  SELECT *, 0.0 AS budget_percent, 0 AS calls_by_thread, 0 AS off_cpu_split, 0 AS off_cpu,
         0 AS page_faults
  FROM main.recording;
CREATE TEMP VIEW cpu_sample AS
  SELECT *, 0 AS slow_count FROM main.cpu_sample;
CREATE TEMP VIEW stack AS
  SELECT *, 'unknown' AS walk_end FROM main.stack;
CREATE TEMP VIEW frame AS
  SELECT *, '' AS file, 0 AS line, 0 AS inline_depth FROM main.frame;
CREATE TEMP VIEW function AS
  SELECT *, 0 AS site_addr, 0 AS emulated_entry, 0 AS emulated_exits, 0 AS inlined_copies,
         0 AS threw, 0 AS skipped, 1 AS sample_every, 0 AS untimed_ns, 0 AS detached_ns,
         0 AS blocked_ns, 0 AS runq_ns, 0 AS self_blocked_ns, 0 AS self_runq_ns,
         0 AS attached_ns, '' AS file, 0 AS line
  FROM main.function;
CREATE TEMP VIEW probe_cost AS
  SELECT 1 AS id, 0 AS emulated_entry_ns, 0 AS stepped_entry_ns, 0 AS return_ns,
         0 AS emulated_exit_ns, 0 AS stepped_exit_ns, 0 AS counted_entry_ns;
CREATE TEMP TABLE wait (stack, pid, tid, count, blocked_ns, runq_ns);
CREATE TEMP TABLE page_fault (stack, pid, tid, count);
CREATE TEMP TABLE process (id, pid, parent_pid, comm, since_ns, timed);
CREATE TEMP TABLE call_node (
  id, parent, function, tid, recursive, calls, unwound, total_ns, self_ns, max_ns, blocked_ns,
  runq_ns, self_blocked_ns, self_runq_ns);
CREATE TEMP TABLE latency (second, function, histogram);
CREATE TEMP TABLE slow_call (
  id, function, pid, tid, t_ns, duration_ns, blocked_ns, runq_ns, stack, args);
