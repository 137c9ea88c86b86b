/* request.h - one request, from its head to the end of its response: the product's sentence.
 *
 * The steps run in the order of REQUEST_STEPS, each until it has to wait. A failed attempt at a backend goes back to
 * pick_target while the rules for repeating allow; a refusal goes to reply. Every request ends in finish.
 *
 * Thread: the worker's. Ownership: a client owns its request; a request owns its origin while it has one, and holds
 * a lease on the configuration it was matched with. */
#pragma once
#include "base/sock.h"
#include "worker/codec.h"
#include "worker/close_reason.h"
#include "worker/h1_body.h"
#include "worker/relay.h"
#include "worker/reply.h"
#include "guard/pace.h"
#include "guard/verdict.h"
#include "worker/worker_state.h"

struct client;
struct compress_source;
struct hook_exchange;
struct origin;
struct page;
struct tunnel;

enum step {
    STEP_MORE, /* go on with the next step at once */
    STEP_WAIT, /* something has to arrive first */
    STEP_DONE  /* the request is over */
};

#define REQUEST_STEPS(X) \
    X(read_head) X(match_route) X(admit) X(pick_target) X(connect) X(send_head) X(send_body) \
    X(read_response) X(relay_body) X(tunnel) X(reply) X(finish)

struct request_step {
    const char *name;
    enum step (*run)(struct request *rq);
};

enum { REQUEST_TRIES_MAX = 12, WEBSOCKET_KEY_SIZE = 25 };

struct request {
    struct worker *worker;
    struct client *client;
    const struct client_codec *codec;
    const struct origin_codec *origin_codec;
    const struct request_step *step; /* changed by request_goto only */

    /* where it goes */
    struct lease *lease; /* from match_route on */
    const struct group *group;
    const struct member *member;
    struct lease *before;      /* of the last try, when a newer one is used now: keeps failed */
    struct route_local *failed; /* where the last try was made, counted when no further one is */
    struct route_local *local; /* this worker's counters of member; in_flight counted while set */
    struct origin *origin;
    unsigned address;                /* index in member->addresses */
    unsigned addresses_tried;        /* of this member, in this try */
    const struct route_state *tried[REQUEST_TRIES_MAX]; /* compared only */
    unsigned tries;                  /* members tried before this one */
    enum verdict failure;            /* of the last try */
    const char *failure_error;  /* what exactly, or NULL */
    unsigned retries_left;
    bool again;                      /* it was sent again to its member, at no cost: once is enough */
    bool fresh;                      /* a pooled connection was stale: make a new one */
    bool drawn;                      /* there was a draw for it */
    uint64_t draw_key;               /* start of the drain that draw was made for; 0: none */
    uint32_t draw;                   /* its number against shares, below EFFECTIVE_ALL */
    bool panic;                      /* member is down, and used all the same */
    bool bypass;                     /* an operator: sees what is in maintenance */
    bool paging;                     /* member is the page server of one in maintenance */
    bool turned;                     /* drains have counted that they turned it away */
    const struct member *whose;      /* in maintenance, for which it is answered; NULL: member's */
    struct circuit_ticket ticket;    /* of member's circuit; settled by worker/outcome.c */
    bool limited;                    /* the group's rate limit was asked: limit says what of it is left */
    struct ratelimit_result limit;
    struct slice upgrade;  /* the protocol that the client asks for; absent: none, or none that may pass */
    bool upgrading;        /* the backend is asked for it */
    bool placed;           /* holds one of member's places for tunnels */
    bool seated;           /* and one of those for requests */
    char websocket_key[WEBSOCKET_KEY_SIZE]; /* worker/tunnel_connect.h */
    struct tunnel *tunnel; /* open; the request's texts, lease and member are its to move */
    struct hook_exchange *exchange;  /* with the group's policy, worker/policy.h; NULL: it has none */

    /* bodies */
    struct relay upload, download;
    struct pace giving;  /* of the request body; worker/pacing.h */
    uint64_t late_ms;    /* when its client's time-out is over, while it has one */
    bool upload_wants; /* all that was received of the request body was moved; more has to come */
    bool upload_done, response_started, response_done, response_keep_alive;
    uint64_t head_by_ms; /* when the final head has to be there, monotonic; 0: the request is still being sent */
    struct h1_source client_source, origin_source;
    struct h1_sink client_sink, origin_sink;
    struct http_scan scan, response_scan;
    struct compress_source *compress; /* around the source of download; NULL: not compressed */
    uint32_t head_used;   /* bytes of the head in client->conn.in */
    struct buf head_block; /* where the head went when the body streams */

    /* how it ends */
    enum verdict verdict;
    enum close_reason close_reason; /* not NONE: the client's connection has to end at once */
    bool keep_alive;                /* towards the client */
    int status;                     /* sent to the client; 0: none */
    bool counted;                   /* stats_count has counted it */
    const char *error;              /* what is wrong with a malformed head; static, without quotes and HTML */
    const struct page *page;        /* of a member in maintenance, held by the lease; NULL: the book's */
    uint32_t retry_after_s;         /* what Retry-After says with 503 and 429; 0: the default */
    struct reply_source reply;      /* the page on its way */
    char *file;                     /* what is answered in the place of a page; owned; NULL: none */
    uint32_t file_len;

    /* when, microseconds on the monotonic clock; 0: not reached */
    uint64_t start_us, picked_us, connected_us, first_byte_us;

    struct slice host; /* of head.host, without port */
    struct slice path; /* of head.path, without query */
    char *own_path;    /* where head.path is when the client spelled it in another way; owned; NULL: in the client's bytes */
    bool separators;   /* the path holds escaped separators */
    struct http_head head; /* last: large, and not cleared between requests */
};

/* A request that waits for its head. NULL: out of memory. */
struct request *request_new(struct worker *w, struct client *c, const struct client_codec *codec);

/* Over: gives back what it holds. */
void request_free(struct request **rq);

/* The client is gone: ends the work for it, wherever it is, logs and frees. */
void request_abandon(struct request **rq);

/* Runs steps until one waits or the request is over. */
enum step request_run(struct request *rq);

/* Something happened to its origin: goes on, and with the client's next request after it. */
void request_go_on(struct request *rq);

/* Has all arrived that the client may send? Never so for a tunnel. */
bool request_upload_done(const struct request *rq);

/* Goes the request on when the client sends no more? */
static inline bool request_outlives_upload(const struct request *rq)
{
    return rq->tunnel != NULL;
}

/* Makes room for reading from the client; false: nothing can be taken now. */
bool request_make_room(struct request *rq);

/* The client was too slow with its head or body. True: it can be told so, with this verdict (run the request). */
bool request_client_late(struct request *rq, enum verdict verdict);

