/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What bpf/calls.bpf.c and userspace share: configuration, the shadow stack of a thread, what is
 * decided for each function, and the statistics of each node of the call tree. Statistics are
 * written by BPF with atomic adds and read by user space through mmap. */
#ifndef CALLSCOPE_ABI_CALLS_H
#define CALLSCOPE_ABI_CALLS_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

/* The kernel keeps at most 64 pending return probes a thread (MAX_URETPROBE_DEPTH). */
#define CS_CALL_DEPTH 64

/* rodata of the calls object, set between open and load. */
struct cs_call_config {
	__u32 max_functions; /* functions are 0 .. max_functions-1 */
	__u32 max_nodes;     /* nodes of the call tree; the first max_functions are roots */
	__u32 n_shards;	     /* power of two; a CPU writes shard cpu & (n_shards - 1) */
	__u32 by_thread;     /* 1: each thread has a call tree of its own */
	__u32 budget_1024;   /* of one CPU in 1/1024, for the probes of one function; 0: no limit */
	__u32 burst_ns;	     /* probe time that may be spent at once, see call_budget.bpf.h */
	__u32 log_slow;	     /* 0: no function has slow calls that are logged */
	__u32 follow_children; /* 1: forked children become targets */
};

/* How calls of a function are treated now. */
enum cs_func_mode {
	CS_FUNC_TIMED,	 /* all of them, or one in 2^sample_shift */
	CS_FUNC_COUNTED, /* no more than counted */
	CS_FUNC_OFF,	 /* its probes are about to go: ignored */
	/* Not asked for: its exits end the calls of those that jump to it, and each counts as a
	 * call in untimed. */
	CS_FUNC_TAIL_CALLEE,
};

/* Element func of map cs_func_ctl. User space writes it; BPF only raises sample_shift when a
 * function bursts its budget within a window. */
struct cs_func_ctl {
	__u64 slow_ns; /* calls that take at least this are logged; 0: none */
	__u32 cost_ns; /* of entry and exit probe of one call */
	__u8 mode;     /* enum cs_func_mode */
	__u8 sample_shift;
	__u8 generation; /* bit 0: of the probes that count, as CS_COOKIE_GENERATION; enum
			    cs_takeover */
	__u8 args_known; /* bit n: argument n is in its register where the entry probe stands */
};

/* Bits 1.. of cs_func_ctl.generation: how far the other generation has taken over. What both see,
 * at one instruction or at two, counts once; so nothing is missed or counted twice that is between
 * the two meanwhile. */
enum cs_takeover {
	CS_TAKEOVER_NONE,
	CS_TAKEOVER_BEGINS, /* what counts is remembered */
	CS_TAKEOVER_BOTH,   /* probes of both count */
	CS_TAKEOVER_ENDS,   /* bit 0 is the new one, which looks at what the old one has counted */
};

static inline __attribute__((always_inline)) __u32 cs_takeover_of(__u32 generation)
{
	return generation >> 1;
}

static inline __attribute__((always_inline)) __u32 cs_takeover_bits(enum cs_takeover takeover)
{
	return (__u32)takeover << 1;
}

static inline __attribute__((always_inline)) __u32 cs_counting_generation(__u32 generation)
{
	return generation & 1;
}

/* Element func + shard * max_functions of map cs_func_loads: probe time spent. Written by one CPU
 * at a time unless shards are shared; then it is roughly right, which is enough. */
struct cs_func_load {
	__u64 last_ns;	/* when a call was paid for last */
	__u64 spent_ns; /* and not yet leaked away */
};

/* One open call. */
struct cs_call_frame {
	__u64 slot;	/* address of the return address: identifies the frame */
	__u64 enter_ns; /* CLOCK_MONOTONIC at the entry probe */
	__u64 child_ns; /* time spent in probed callees so far */
	/* As the thread's counters of the same name stood at the entry. */
	__u64 blocked_ns;
	__u64 runq_ns;
	/* The part of child_ns that was such. */
	__u64 child_blocked_ns;
	__u64 child_runq_ns;
	__u32 func;
	__u32 node; /* of the call tree: where this call is counted */
	__u32
	    context; /* of the call tree: where its callees hang; differs from node in recursion */
	/* The callee that was entered last, so that a loop looks its node up once. */
	__u32 last_func;
	__u32 last_node;
	__u32 last_context;
	__u8 outermost;	 /* 1: no other activation of func is open on this thread */
	__u8 shift;	 /* the call stands for 2^shift calls */
	__u8 generation; /* of the probe that opened it */
	__u8 pad[5];
};

/* Integer arguments of an open call of a function whose slow calls are logged. */
struct cs_call_args {
	__u64 value[6]; /* rdi, rsi, rdx, rcx, r8, r9 */
};

/* What a thread counted last during a takeover. */
struct cs_counted_event {
	__u64 cookie; /* of the probe */
	__u64 ip;     /* where that stands */
	__u64 slot;   /* 0: none */
};

/* Task storage of the calls object: one thread's open calls, outermost first. */
struct cs_call_thread {
	__u32 depth;	     /* 0 .. CS_CALL_DEPTH */
	__u32 exec_id;	     /* task->self_exec_id of the frames: another exec makes them void */
	__u64 returned_slot; /* slot of the last return while no entry came since; else 0 */
	__u64 tail_slot;     /* a probed tail jump has just left this slot to tail_func; else 0 */
	__u64 tail_ns;	     /* when */
	/* Off-CPU time of the thread while calls were open. */
	__u64 blocked_ns; /* asleep */
	__u64 runq_ns;	  /* ready, waiting for a CPU */
	__u64 off_ns;	  /* when it was switched out; 0: on a CPU, or no call was open then */
	__u64 wake_ns;	  /* when it was woken; counts if later than off_ns */
	__u32 tail_func;
	__u32 preempted; /* 1: it was switched out while it was ready to run */
	/* The slow call that has just been closed, for the program to report. */
	__u32 slow_pending;
	__u32 slow_depth; /* its index in frames and args */
	__u64 slow_end_ns;
	__u32 throwing; /* C++ exceptions thrown and not caught yet */
	__u32 pad;
	struct cs_counted_event counted[2]; /* an entry, an exit */
	struct cs_call_frame frames[CS_CALL_DEPTH];
};

/* Key of map cs_call_edges, whose value is the node of that call. */
struct cs_call_edge {
	__u32 parent; /* node, or CS_ROOT_THREAD | tid */
	__u32 func;
};
#define CS_NO_NODE     0xffffffffu
#define CS_ROOT_THREAD 0x80000000u

/* Element node of map cs_call_nodes_info, written once when the node is made. Node f, for a
 * function f, is its root: called while no probed function was open, or in a context that the
 * tree had no room for. */
struct cs_call_node_info {
	__u32 parent; /* as in the edge; CS_NO_NODE in a node that was never used */
	__u32 func;
	__u32 recursive; /* 1: the function was open already */
	__u32 used;
};

/* Element node + shard * max_nodes of map cs_call_stats. Durations in ns, each multiplied by the
 * number of calls that the timed one stands for. Atomic adds are dear in a probe, so what follows
 * from other counters is not kept: calls = returns + unwound + untimed + skipped + running,
 * total = sum + unwound_ns - nested_ns, self = sum + unwound_ns - child_ns; likewise blocked and
 * runq. */
struct cs_call_stats {
	__u64 returns;
	__u64 sum_ns;  /* returned activations */
	__u64 min_inv; /* ~minimum, so that zeroed memory means "none yet" and both are maxima */
	__u64 max_ns;
	__u64 child_ns; /* the part of all durations that was spent in probed callees */
	/* Of all durations, asleep and waiting for a CPU. */
	__u64 blocked_ns;
	__u64 runq_ns;
	__u64 child_blocked_ns;
	__u64 child_runq_ns;
	/* Of activations while another one of the function was open. */
	__u64 nested_ns;
	__u64 nested_blocked_ns;
	__u64 nested_runq_ns;
	__u64 unwound;	  /* calls that never returned: longjmp, throw, thread exit, exec */
	__u64 unwound_ns; /* their durations, up to the moment that this was known */
	__u64 threw;	  /* of unwound: by an exception, seen when it was caught */
	__u64 untimed;	  /* calls whose end could not be seen; in root nodes only */
	__u64 skipped;	  /* calls left out by sampling; in root nodes only */
	__u64 tail_exits; /* returned activations that ended with a jump to an unknown function */
	__u64 running;	  /* open when the recording stopped or the process ended */
};

#ifndef __bpf__
static_assert(sizeof(struct cs_call_config) == 32, "abi");
static_assert(sizeof(struct cs_func_ctl) == 16, "abi");
static_assert(sizeof(struct cs_func_load) == 16, "abi");
static_assert(sizeof(struct cs_call_frame) == 88, "abi");
static_assert(sizeof(struct cs_call_args) == 48, "abi");
static_assert(sizeof(struct cs_call_thread) == 144 + 88 * CS_CALL_DEPTH, "abi");
static_assert(sizeof(struct cs_call_edge) == 8, "abi");
static_assert(sizeof(struct cs_call_node_info) == 16, "abi");
static_assert(sizeof(struct cs_call_stats) == 152, "abi");
#endif

#endif
