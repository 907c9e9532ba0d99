-- SPDX-License-Identifier: Apache-2.0
-- Shows a recording of format 2 as one of format 3, as format_1.sql does.
CREATE TEMP VIEW recording AS
  SELECT *, 0 AS page_faults FROM main.recording;
CREATE TEMP TABLE page_fault (stack, pid, tid, count);
