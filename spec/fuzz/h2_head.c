/* Heads of HTTP/2: a request that is taken, written as HTTP/1, is one, and says the same. */
#include "http/h2_head.h"
#include "spec/fuzz/fuzz.h"
#include "spec/fuzz/heads.h"

enum { SIZE = 16 * 1024, ENDS = 1, RESPONSE = 2 };

void fuzz_h2_head(struct slice input)
{
    static struct http_head head;
    static char text[SIZE];
    struct h2_fields fields = {.text = {.data = text, .cap = sizeof(text)}};
    uint8_t choice = fuzz_take(&input);
    struct slice name, value;
    const char *error = NULL;
    enum parse result;

    while (fields.count + 2 < HTTP_FIELDS_MAX && slice_split(&input, 0, &name) && slice_split(&input, 0, &value))
        h2_fields_add(&fields, name, value, &heads_wide);
    if (choice & RESPONSE)
        result = h2_head_response(&head, &fields, choice & ENDS, (enum method)(choice >> 4) % (METHOD_OTHER + 1),
                                  &error);
    else
        result = h2_head_request(&head, &fields, choice & ENDS, &heads_wide, &error);
    CHECK(result != PARSE_MORE && (result == PARSE_DONE) == !error);
    if (result != PARSE_DONE)
        return;
    heads_check_fields(&head);
    CHECK(!(choice & ENDS) || head.body == BODY_NONE || head.content_length == 0);
    if (choice & RESPONSE)
        CHECK(head.status >= 100 && head.status <= 999);
    else
        heads_check_request(&head);
}
