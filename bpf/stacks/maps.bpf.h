/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The maps of the objects that count stacks. As those of the walker they stand in a header: the cpu
 * object makes the first group, userspace/bpf gives it to the others. */
#ifndef CALLSCOPE_BPF_STACKS_MAPS_BPF_H
#define CALLSCOPE_BPF_STACKS_MAPS_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>

#include "callscope/abi/cpu.h"
#include "callscope/abi/python.h"
#include "common/maps.bpf.h"
#include "common/unwind/state.bpf.h"
#include "python/state.bpf.h"

/* Shared by all, as those of common/maps.bpf.h. */

/* Records to user space. The size is set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} cs_ring SEC(".maps");

/* Targets that run Python, by tgid. Written by user space; forks copy their parent's. Above the
 * children that a Python program has at one time. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct cs_python_process);
} cs_python_processes SEC(".maps");

/* The address of the interpreter's state of a thread, by tid: a hint, checked at each use. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} cs_python_threads SEC(".maps");

/* Code objects that user space was told of. One that is forgotten is told of again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct cs_python_code_key);
	__type(value, __u8);
} cs_python_codes SEC(".maps");

/* Of each object its own. */

/* The walk under way. Events of one object do not interrupt each other on a CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_unwind);
} cs_walks SEC(".maps");

/* The record under construction, as safe. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_stack_record);
} cs_scratch SEC(".maps");

/* As cs_walks and cs_scratch, of Python frames. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_python_walk);
} cs_python_walks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_python_stack_record);
} cs_python_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_python_code_record);
} cs_python_code_scratch SEC(".maps");

#endif
