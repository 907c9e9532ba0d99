/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Counters that every BPF object keeps in its map cs_stats: what was seen and, above all, what was
 * lost and why. BPF adds atomically, user space reads. One list for all objects, so that a reason
 * has one name everywhere; userspace/collect turns each into a QualityItem. */
#ifndef CALLSCOPE_ABI_STATS_H
#define CALLSCOPE_ABI_STATS_H

enum cs_stat {
	/* cpu object */
	CS_STAT_TICKS = 0,	  /* sampling interrupts on all CPUs, idle ones too */
	CS_STAT_SAMPLES,	  /* of them, in a target process */
	CS_STAT_STACK_TABLE_FULL, /* samples lost: no room for a new stack */
	CS_STAT_RING_FULL,    /* stack records that the ring had no room for; sent again later */
	CS_STAT_TARGETS_FULL, /* forked children not followed: no room */
	CS_STAT_EVENT_LOST,   /* fork, exec or exit events that the ring had no room for */
	CS_STAT_SAMPLE_LOST,  /* samples whose time the ring had no room for */
	/* offcpu object */
	CS_STAT_WAIT_UNSEEN,	 /* waits that nobody saw begin: not counted */
	CS_STAT_WAIT_NOT_WALKED, /* waits whose stack was not walked, to keep the cost low */
	CS_STAT_WAIT_LOST,	 /* waits lost: no room for a thread or for a stack */
	/* memory object */
	CS_STAT_FAULTS,		  /* page faults in target processes */
	CS_STAT_FAULT_NOT_WALKED, /* of them, whose stack was not walked, to keep the cost low */
	CS_STAT_FAULT_LOST,	  /* of them, lost: no room for a new stack */
	/* calls object */
	CS_STAT_THREAD_STATE_FULL, /* entries lost: no memory for the thread's shadow stack */
	CS_STAT_DEPTH_EXCEEDED, /* entries below CS_CALL_DEPTH probed frames: counted, not timed */
	CS_STAT_RETURN_UNMATCHED, /* returns for which no entry was seen */
	CS_STAT_BAD_COOKIE,	  /* events whose function id is out of range */
	CS_STAT_SLOT_UNREADABLE,  /* return slots that could not be read: taken as unwound */
	CS_STAT_MINMAX_CONTENDED, /* minimum or maximum not updated after several tries */
	CS_STAT_TREE_FULL,	  /* calls in contexts that the call tree had no room for */
	CS_STAT_CALL_EVENT_LOST,  /* loader and budget events that the ring had no room for */
	CS_STAT_SLOW_LOST,	  /* slow calls that the ring had no room for */
	CS_STAT_RETURN_RELINKED,  /* calls whose return probe went while they were open */
	/* spans object */
	CS_STAT_SPAN_BAD_SITE,	      /* events whose site or row is out of range */
	CS_STAT_SPAN_KEY_UNREADABLE,  /* events lost: their key could not be read, or not kept */
	CS_STAT_SPAN_NAME_UNREADABLE, /* begins lost: the same of their name */
	CS_STAT_SPAN_NAMES_FULL,      /* begins lost: CS_SPAN_NAMES_MAX other names came first */
	CS_STAT_SPAN_NAMED_UNMATCHED, /* ends by name whose begin was not seen: which is unknown */
	CS_STAT_COUNT
};

#endif
