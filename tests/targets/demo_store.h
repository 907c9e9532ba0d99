// SPDX-License-Identifier: Apache-2.0
// The store of the demo: a key-value map with a write-ahead log and periodic compaction, one lock
// around it. Safe to call from any thread. It has honest faults for a profiler to find; see demo.c.
#pragma once

#include <stdint.h>

enum { kValueSize = 256 };

struct store;

struct store* store_open(const char* log_path);
void store_close(struct store* store);
void store_set(struct store* store, uint64_t key, const char* value);
int store_get(struct store* store, uint64_t key, char* value);
// Sum over the checksums of all values with low <= key < high.
uint64_t store_scan(struct store* store, uint64_t low, uint64_t high);
// Rewrites the log with the live values only; holds the lock meanwhile.
void store_compact(struct store* store);
