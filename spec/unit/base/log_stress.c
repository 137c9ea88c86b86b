/* log_stress.c - threads that log; built with -fsanitize=thread and looked at by log_spec.lua.
 *
 * usage: log_stress ACCESS-FILE. The log goes to standard error, what happened to standard output. */
#include "base/check.h"
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, LINES = 20000, LONG = 10000 };

static void *log_much(void *arg)
{
    int id = (int)(long)arg;
    char text[64];

    log_attach();
    for (int i = 1; i <= LINES; i++) {
        int len = snprintf(text, sizeof(text), "access=%d n=%d", id, i);

        log_write(LOG_INFO, "many", "thread=%d n=%d", id, i);
        log_access(slice_of(text, (size_t)len));
        if (i % 100 == 0)
            usleep(1000);
    }
    return NULL;
}

static void log_kinds(void)
{
    char text[LONG + 1];

    log_write(LOG_INFO, "a \"b\" \\ \n\x7f", "k=%s e=\"x y\"", "1\r\n2");
    log_write(LOG_ERROR, "no pairs", "%s", "");
    log_write(LOG_DEBUG, "hidden", "%s", "");
    log_set_level(LOG_DEBUG);
    log_write(LOG_DEBUG, "shown", "%s", "");
    log_set_level(LOG_WARN);
    log_write(LOG_INFO, "hidden", "%s", "");
    log_set_level(LOG_INFO);
    memset(text, 'x', LONG);
    text[LONG] = '\0';
    log_write(LOG_INFO, "long", "text=%s", text);
    log_write(LOG_INFO, text, "%s", "");
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    char moved[4096];

    CHECK(argc == 2);
    log_write(LOG_INFO, "before", "%s", "");
    CHECK(log_open() == 0);
    log_write(LOG_INFO, "not attached", "%s", "");
    log_attach();
    printf("missing_directory=%d\n", log_open_access("/no/such/directory/file"));
    CHECK(log_open_access(argv[1]) == 0);
    log_kinds();
    log_access(SLICE("access=first"));
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, log_much, (void *)i) == 0);
    snprintf(moved, sizeof(moved), "%s.1", argv[1]);
    CHECK(rename(argv[1], moved) == 0);
    log_reopen_access();
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    log_access(SLICE("access=last"));
    log_close();
    printf("dropped=%d\n", (int)log_dropped());
    log_write(LOG_INFO, "after", "%s", "");
    return 0;
}
