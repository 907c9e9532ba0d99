/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of stacks/: finds the interpreter's state of the current thread. The interpreter keeps
 * pthread_self() of each thread, which with glibc and musl is the address that the kernel calls its
 * fsbase: unlike thread numbers it is right in forked children and in PID namespaces. */
#ifndef CALLSCOPE_BPF_PYTHON_THREADS_BPF_H
#define CALLSCOPE_BPF_PYTHON_THREADS_BPF_H

#include "python/state.bpf.h"
#include "stacks/send.bpf.h"

/* Whether this is the state of the current thread and has a frame. A state without one may be that
 * of a thread that is being started, which until then bears the identity of its parent. */
CS_SUBPROGRAM int cs_python_is_current(struct cs_python_walk *walk, __u64 thread)
{
	const struct cs_python_layout *layout;

	if (!walk)
		return 0;
	layout = &walk->process.layout;
	if (cs_read_user(walk->thread, CS_PYTHON_THREAD_BYTES, thread))
		return 0;
	if (cs_python_u64(walk->thread, layout->thread_id) != walk->fsbase)
		return 0;
	walk->cframe = cs_python_u64(walk->thread, layout->thread_frame);
	walk->frame = walk->cframe;
	if (layout->by_cframe &&
	    cs_read_user(&walk->frame, sizeof(walk->frame), walk->cframe + layout->cframe_frame))
		return 0;
	return walk->frame != 0;
}

/* Looks at all threads of all interpreters, newest first. */
CS_SUBPROGRAM int cs_python_search_threads(struct cs_python_walk *walk, __u64 *found)
{
	const struct cs_python_layout *layout;
	__u64 interpreter = 0, thread = 0;

	if (!walk || !found)
		return 0;
	layout = &walk->process.layout;
	if (cs_read_user(&interpreter, sizeof(interpreter),
			 walk->process.runtime + layout->interpreters_head))
		return 0;
	for (int i = 0; i < CS_PYTHON_THREADS; i++) {
		if (thread) {
			if (cs_python_is_current(walk, thread)) {
				*found = thread;
				return 1;
			}
			thread = cs_python_u64(walk->thread, layout->thread_next);
			continue;
		}
		if (!interpreter)
			return 0;
		if (cs_read_user(&thread, sizeof(thread), interpreter + layout->threads_head))
			return 0;
		if (cs_read_user(&interpreter, sizeof(interpreter),
				 interpreter + layout->interpreter_next))
			return 0;
	}
	return 0;
}

/* Sets walk->frame. False: the thread runs no Python, or is not among those looked at. */
static __always_inline bool cs_python_find_thread(struct cs_python_walk *walk, __u32 tid)
{
	__u64 *known = bpf_map_lookup_elem(&cs_python_threads, &tid), thread = 0;

	/* It may be the state that the thread had before and that is free memory now: looked for
	 * anew when it has no frame, and believed only if it has all that the stack has. */
	if (known && cs_python_is_current(walk, *known))
		return true;
	if (!cs_python_search_threads(walk, &thread))
		return false;
	bpf_map_update_elem(&cs_python_threads, &tid, &thread, BPF_ANY);
	return true;
}

#endif
