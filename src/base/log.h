/* log.h - log lines that never block the thread that writes them.
 *
 * A line is formatted into a ring of the calling thread; one log thread takes the lines of all
 * rings, a batch at a time, and writes them (lines of different threads are not sorted by time).
 * When a ring is full, or a line cannot be written (a full disk, a reader that is
 * gone), it is dropped and counted, and the count is logged once that works again. What was torn gets a line's end.
 * Two channels: the log (standard error) and the access log (standard output or a file). A line of
 * more than 8 KiB is cut, one of the log then ends in "...".
 *
 * The lines of one thread keep their order; those of different threads carry their time.
 *
 * Line: time=2026-01-31T10:00:00.123Z level=info msg="worker started" worker=1
 *
 * Thread: log_open, log_close, log_open_access and log_reopen_access the main thread; everything
 * else any thread that called log_attach (log_write of one that did not writes directly, blocking).
 * Ownership: rings belong to the log module, outlive their threads and are freed by log_close. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stdint.h>

/* LOG_NONE is for log_set_level alone: nothing is written. */
enum log_level { LOG_NONE = -1, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Starts the log thread; until then lines are written directly. 0 or -errno. */
MUST_USE int log_open(void);

/* Writes what is left in all rings, waiting at most a second for a reader that stalls, ends the log thread if there is
 * one, and closes the access log.
 * All other threads that called log_attach have ended. */
void log_close(void);

/* Gives the calling thread a ring, once the log is open; harmless when it has one. Without memory
 * it goes on without. */
void log_attach(void);

/* Lines above level are not written from now on; LOG_INFO at first. */
void log_set_level(enum log_level level);

/* Would a line of this level be written? */
bool log_enabled(enum log_level level);

/* "error", "warn", "info", "debug" to a level; false when text is none of them. */
MUST_USE bool log_level_parse(struct slice text, enum log_level *level);

/* Writes one line. fmt makes the key=value part and may be "": log_write(LOG_INFO, "worker
 * started", "worker=%u", id). Control bytes are escaped in both, so a line stays one line, and
 * quotes and backslashes in msg. fmt puts quotes around values that may have spaces:
 * "error=\"%s\"". */
void log_write(enum log_level level, const char *msg, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Where access lines go: a path, "-" for standard output, NULL for nowhere. 0 or -errno. The file
 * is opened for appending and opened anew when log_reopen_access is called; if that fails the old
 * one is kept, and log_reopen_access logs it. */
MUST_USE int log_open_access(const char *path);
void log_reopen_access(void);

/* Queues one access line (without its newline), as it is, when there is an access log and the
 * thread has a ring. Dropped and counted when the ring is full. */
void log_access(struct slice line);

/* Lines lost since start: a ring was full, or writing failed. */
uint64_t log_dropped(void);
