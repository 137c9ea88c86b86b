/* h1_origin.h - the HTTP/1.1 codec towards backends (RFC 9112).
 *
 * Thread: the worker's. */
#pragma once
#include "worker/codec.h"

extern const struct origin_codec h1_origin_codec;
