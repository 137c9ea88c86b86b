#include "base/clock.h"

#include <time.h>

uint64_t clock_ns(void)
{
    struct timespec ts;

    CHECK(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t read_us(clockid_t id)
{
    struct timespec ts;

    CHECK(clock_gettime(id, &ts) == 0);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t clock_thread_us(void)
{
    return read_us(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

static char *put_digits(char *out, unsigned n, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--, n /= 10)
        out[i - 1] = (char)('0' + n % 10);
    return out + digits;
}

/* Year, month and day of a day since 1970-01-01. gmtime_r would do, but takes the time zone lock,
 * and every log line of every worker comes through here. Years are counted from March, so that the
 * leap day is the last of its year: 400 years have 146097 days, and March to July take 153 days, as
 * do the next five. */
static char *put_date(char *out, uint64_t days)
{
    uint64_t since = days + 719468; /* since 0000-03-01 */
    unsigned era = (unsigned)(since / 146097);
    unsigned day = (unsigned)(since % 146097);
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned month;

    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    year += era * 400 + (month >= 10);
    month = month >= 10 ? month - 9 : month + 3;
    out = put_digits(out, year, 4);
    *out++ = '-';
    out = put_digits(out, month, 2);
    *out++ = '-';
    return put_digits(out, day + 1, 2);
}

static char *put_time(char *out, uint64_t wall_s)
{
    unsigned second = (unsigned)(wall_s % 86400);

    out = put_date(out, wall_s / 86400);
    *out++ = 'T';
    out = put_digits(out, second / 3600, 2);
    *out++ = ':';
    out = put_digits(out, second / 60 % 60, 2);
    *out++ = ':';
    return put_digits(out, second % 60, 2);
}

static size_t finish(char *start, char *end)
{
    *end++ = 'Z';
    *end = '\0';
    return (size_t)(end - start);
}

size_t clock_format_s(char out[CLOCK_TEXT_SIZE], uint64_t wall_ms)
{
    return finish(out, put_time(out, wall_ms / 1000));
}

size_t clock_format_ms(char out[CLOCK_TEXT_SIZE], uint64_t wall_ms)
{
    char *p = put_time(out, wall_ms / 1000);

    *p++ = '.';
    return finish(out, put_digits(p, (unsigned)(wall_ms % 1000), 3));
}
