/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* The life of target processes, as the ring buffers of the cpu and of the calls object tell it. The
 * numbers of the kinds are apart from those of the other records of both. */
#ifndef CALLSCOPE_ABI_PROCESS_H
#define CALLSCOPE_ABI_PROCESS_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

enum cs_process_kind {
	CS_RECORD_FORK = 16,
	CS_RECORD_EXEC,
	CS_RECORD_EXIT, /* of the last thread */
};

struct cs_process_record {
	__u32 kind;
	__u32 size;
	__u32 tgid;
	__u32 parent_tgid; /* FORK: the target that forked; else 0 */
};

#ifndef __bpf__
static_assert(sizeof(struct cs_process_record) == 16, "abi");
#endif

#endif
