--- What the C side gives the trusted library, as one module. Each function is documented here, once.
--
-- In the registry's VM (scripts):
--   json_encode(value) -> text | nil, err      json_decode(text) -> value | nil, err
--   json_array(list) -> list, marked           json_object({ { key, value }, ... }) -> object in this order
--   null                                       JSON's null
--   gzip(text) -> bytes                        base64(bytes) -> text
--   now_ms() -> wall clock in ms               format_time(ms) -> RFC 3339, UTC, seconds
--   log(level, message, pairs)                 event_known(type) -> boolean
-- There and in the configuration's VM:
--   duration(text) -> ms | nil                 Go durations, or bare seconds
--   option_find(key) -> { key, type, in_effect, meaning } | nil
--   option_check(key, value) -> true | nil, err
--   is_token(text), is_field_value(text) -> boolean
-- In the configuration's VM only:
--   is_address(text), is_ip(text), is_cidr(text) -> boolean
--   run(chunk) -> true, result | nil, err      calls chunk within limits of time and memory

-- luacheck: read globals host
return host
