/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The few kernel types that our programs read, with only the fields that they read. CO-RE relocates
 * each access against the running kernel's BTF at load time, so that neither a vmlinux.h nor BTF is
 * needed to build. A field added here must exist in some kernel's BTF under the same name. */
#ifndef CALLSCOPE_BPF_KERNEL_TYPES_BPF_H
#define CALLSCOPE_BPF_KERNEL_TYPES_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct xol_area {
	unsigned long vaddr; /* the return trampoline is its first instruction */
};

struct uprobes_state {
	struct xol_area *xol_area;
};

struct return_instance {
	unsigned long stack; /* where the return address was */
	unsigned long orig_ret_vaddr;
	struct return_instance *next; /* of an outer call */
};

struct uprobe_task {
	struct return_instance *return_instances;
	unsigned long vaddr;	 /* of the probed instruction that is being stepped */
	unsigned long xol_vaddr; /* of its copy, which runs */
};

struct thread_struct {
	unsigned long fsbase; /* the thread's control block, which libc puts atop of its stack */
};

struct mm_struct {
	unsigned long start_stack; /* top of the first thread's stack */
	struct uprobes_state uprobes_state;
};

struct signal_struct {
	atomic_t live; /* threads of the process that have not begun to exit */
	unsigned int flags;
};

struct task_struct {
	struct mm_struct *mm;
	int pid;
	int tgid;
	unsigned long sas_ss_sp; /* alternate signal stack */
	unsigned long sas_ss_size;
	struct signal_struct *signal;
	unsigned int self_exec_id;
	struct uprobe_task *utask; /* NULL: no uprobe was hit yet */
	struct thread_struct thread;
	unsigned int __state; /* 0: running or ready */
};

struct bpf_iter_meta {
	__u64 session_id;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

/* The x86-64 register file as uprobe programs see it: kernel ABI, never relocated. */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

#define CS_SIGNAL_GROUP_EXIT 0x00000004 /* include/linux/sched/signal.h */

#endif
