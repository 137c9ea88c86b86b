/* weight.h - the weights of preference lists: ";q=0.5" in Accept, Accept-Encoding and their like (RFC 9110 12.4.2).
 *
 * Thread: any. Ownership: slices point into what they were taken from. */
#pragma once
#include "base/check.h"
#include "base/slice.h"

enum { WEIGHT_MAX = 1000 };

/* Takes the part before the next sep that is not quoted off the front of *rest, without white space around it.
 * False at the end. */
bool weight_next_part(struct slice *rest, char sep, struct slice *part);

/* Reads q out of parameters ("a=b;q=0.25"; absent: none) in thousandths, WEIGHT_MAX without it. False when it is
 * malformed. */
MUST_USE bool weight_read(struct slice parameters, int *weight);
