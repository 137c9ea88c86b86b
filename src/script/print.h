/* print.h - where print of scripts goes.
 *
 * Thread: set by the main thread before there is another. */
#pragma once

/* To a function instead of the log, for the whole program; NULL: to the log. */
void print_to(void (*print)(const char *text));
