# tidelock: build, specs, demo. `make help` lists the targets.
#
# One build directory per flavour, all made by one template. Variables: PREFIX and DESTDIR say where `install` puts
# things, V=1 shows command lines, OUT=DIR/
# puts the build directories under DIR, T=pattern narrows the specs, B=build-asan picks the flavour that
# test-unit and test-flow run against. For `make fuzz` T is seconds, and F=name picks one target.

VERSION := 0.1.0
OUT ?=
FAULTS ?=
PREFIX ?= /usr/local
DESTDIR ?=
B ?= build
T ?=

MAKEFLAGS += --no-builtin-rules -j$(shell nproc 2>/dev/null || echo 2)
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ifeq ($(V),1)
  say = @:
  Q =
else
  say = @printf '  %-6s %s\n'
  Q = @
endif

# ---- what there is to build

CC := gcc
SOURCES := $(sort $(shell find src -name '*.c' 2>/dev/null))
# What the fuzz targets are made of, but for their two mains.
FUZZ := $(filter-out %/replay.c %/libfuzzer.c,$(sort $(wildcard spec/fuzz/*.c)))
LIBRARY := $(sort $(shell find lua -name '*.lua' 2>/dev/null))

# Looked up when something is compiled: on a fresh machine `deps` comes first.
LUAJIT_CFLAGS = $(shell pkg-config --cflags luajit)
LUAJIT_LIBS = $(shell pkg-config --libs luajit)
# zstd is used where it is there; `make ZSTD=` builds without it.
ZSTD = $(shell pkg-config --exists libzstd && echo 1)
CPPFLAGS = -D_GNU_SOURCE -DTIDELOCK_VERSION='"$(VERSION)"' -Isrc $(LUAJIT_CFLAGS) $(if $(ZSTD),-DTIDELOCK_ZSTD)
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wno-format-nonliteral -Werror
# What an attacker who overwrites memory finds in the way; spec/lint/hardening_spec.lua looks for each. FORTIFY needs
# optimization, and would hide bugs from the sanitizers. Of control flow protection only shadow stacks, which are free: no
# kernel checks jumps (IBT) of programs, and the marks for it are 1.4 % of a request's instructions.
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection=return
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
# The program is optimized as a whole when it is linked; the library that specs load is not, which would take as long again.
LTO := -flto=auto -ffat-lto-objects
CFLAGS := -std=gnu11 -g -fPIC -fno-semantic-interposition -fno-plt -fno-omit-frame-pointer $(HARDEN) $(WARNINGS)
LDFLAGS := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed -Wl,--build-id=sha1
LIBS = -lev -lhttp_parser -lnghttp2 -lseccomp $(LUAJIT_LIBS) -lcares -ljansson -lssl -lcrypto -lz -lbrotlienc $(if $(ZSTD),-lzstd) -pthread -lm -ldl

# Goals that promise to work on a machine with git, gcc and make alone.
ifneq ($(filter run lint test test-% faults chaos soak bench,$(MAKECMDGOALS)),)
  DEPS := deps
endif

# The program looks for its scripts beside its build directory.
ifneq ($(OUT),)
  SCRIPTS_LINK := $(OUT)scripts
$(SCRIPTS_LINK):
	$(Q)mkdir -p $(@D) && ln -sfn $(CURDIR)/scripts $@
endif

# The trusted Lua library goes into the binary: one table row and one .incbin for each file.
define EMBED
{ echo '#include "script/library.h"'; \
  for f in $(LIBRARY); do \
    id=lua_$$(echo $$f | tr -c 'a-z0-9\n' _); \
    printf '__asm__(".pushsection .rodata\\n%s: .incbin \\"%s\\"\\n.byte 0\\n.popsection");\n' $$id $$f; \
    echo "extern const char $$id[] __attribute__((visibility(\"hidden\")));"; \
  done; \
  echo 'const struct library_file library_files[] = {'; \
  for f in $(LIBRARY); do \
    id=lua_$$(echo $$f | tr -c 'a-z0-9\n' _); name=$$(echo $$f | sed 's,^lua/,,; s,\.lua$$,,; y,/,.,'); \
    echo "    {\"$$name\", \"$$f\", $$id, $$(wc -c < $$f)},"; \
  done; \
  echo '    {0, 0, 0, 0}'; echo '};'; \
  echo 'const size_t library_file_count = sizeof(library_files) / sizeof(library_files[0]) - 1;'; }
endef

# ---- the rules of one flavour: $(1) its directory, $(2) its compiler flags

define FLAVOUR
OBJECTS_$(1) := $$(SOURCES:src/%.c=$(OUT)$(1)/obj/%.o) $(OUT)$(1)/obj/lua_library.o

$(OUT)$(1)/tidelock: $$(OBJECTS_$(1)) $(OUT)$(1)/sources | $(SCRIPTS_LINK)
	$$(say) LINK $$@
	$$(Q)$$(CC) $(2) -pie $$(LDFLAGS) -o $$@ $$(OBJECTS_$(1)) $$(LIBS)

$(OUT)$(1)/libtidelock.so: $$(OBJECTS_$(1)) $(OUT)$(1)/sources
	$$(say) LINK $$@
	$$(Q)$$(CC) $(2) -fno-lto -shared $$(LDFLAGS) -o $$@ $$(filter-out %/obj/main.o,$$(OBJECTS_$(1))) $$(LIBS)

$(OUT)$(1)/fuzz-replay: $$(FUZZ:spec/%.c=$(OUT)$(1)/obj/%.o) $(OUT)$(1)/obj/fuzz/replay.o $(OUT)$(1)/libtidelock.so
	$$(say) LINK $$@
	$$(Q)$$(CC) $(2) -fno-lto $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -L$$(@D) -ltidelock -Wl,-rpath,'$$$$ORIGIN' $$(LIBS)

$(OUT)$(1)/obj/fuzz/%.o: spec/fuzz/%.c Makefile | $(DEPS)
	$$(say) CC $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) -I. $$(CFLAGS) $(2) -MMD -MP -c -o $$@ $$<

$(OUT)$(1)/obj/%.o: src/%.c Makefile | $(DEPS)
	$$(say) CC $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) $$(CFLAGS) $(2) -MMD -MP -c -o $$@ $$<

$(OUT)$(1)/obj/lua_library.o: $(OUT)$(1)/lua_library.c | $(DEPS)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) $$(CFLAGS) $(2) -fno-lto -MMD -MP -c -o $$@ $$<

$(OUT)$(1)/lua_library.c: $(OUT)$(1)/sources $$(LIBRARY) Makefile
	$$(say) EMBED $$@
	$$(Q)$$(EMBED) > $$@

# Changes when a file comes or goes, so that what is linked is what is in the tree.
$(OUT)$(1)/sources: .always
	$$(Q)mkdir -p $$(@D)
	$$(Q)echo "$$(SOURCES) $$(LIBRARY)" | cmp -s - $$@ || echo "$$(SOURCES) $$(LIBRARY)" > $$@

-include $$(OBJECTS_$(1):.o=.d) $(OUT)$(1)/obj/fuzz/*.d
endef

comma := ,
# Every call that can fail goes through a site of base/fault.h (TIDELOCK_FAIL); never in a release.
SITES := -DTIDELOCK_FAULTS -include base/fault.h
$(eval $(call FLAVOUR,build,-O2 $$(LTO) $$(FORTIFY)))
$(eval $(call FLAVOUR,build-debug,-O0 -g3 -DDEBUG $(SITES)))
$(eval $(call FLAVOUR,build-asan,-O1 -DDEBUG -fsanitize=address$(comma)undefined -fno-sanitize-recover=all $(SITES)))
$(eval $(call FLAVOUR,build-tsan,-O1 -fsanitize=thread $(SITES)))
# Of clang, with edges counted for libFuzzer. It warns of what libseccomp's own macros leave out.
$(eval $(call FLAVOUR,build-fuzz,-O1 -Wno-missing-field-initializers -fsanitize=fuzzer-no-link$(comma)address$(comma)undefined -fno-sanitize-recover=all))
$(OUT)build-fuzz/%: CC := clang

$(OUT)build-fuzz/fuzz: $(OBJECTS_build-fuzz) $(FUZZ:spec/%.c=$(OUT)build-fuzz/obj/%.o) $(OUT)build-fuzz/obj/fuzz/libfuzzer.o
	$(say) LINK $@
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $(filter-out %/obj/main.o,$^) $(LIBS)

# ---- helpers of the specs, and what clang-tidy finds in each source (an empty file: nothing)

TOOLS := $(OUT)build/origin-server $(OUT)build/load-client $(OUT)build/attack-client
TIDY := $(SOURCES:src/%.c=$(OUT)build/tidy/%.txt)

$(TOOLS): $(OUT)build/%: Makefile | $(DEPS)
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE $(CFLAGS) -O2 -o $@ $(filter %.c,$^)
$(OUT)build/origin-server: spec/support/origin_server.c
$(OUT)build/attack-client: spec/support/attack_client.c
$(OUT)build/load-client: spec/support/load_client.c spec/support/load_response.c spec/support/load_response.h

# What benchmarks run beside them.
BENCH_TOOLS := $(OUT)build/bench-floor $(OUT)build/bench-tls-client $(OUT)build/bench-idle-client

$(BENCH_TOOLS): $(OUT)build/bench-%: Makefile | $(DEPS)
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -I. $(CFLAGS) -O2 -o $@ $(filter %.c,$^) -lev -lhttp_parser -lssl -lcrypto
$(OUT)build/bench-floor: spec/bench/floor.c
$(OUT)build/bench-tls-client: spec/bench/tls_client.c spec/support/load_response.c spec/support/load_response.h
$(OUT)build/bench-idle-client: spec/bench/idle_client.c spec/support/load_response.c spec/support/load_response.h

# The object stands for the headers: it is made anew whenever one of them changes.
$(OUT)build/tidy/%.txt: src/%.c $(OUT)build/obj/%.o .clang-tidy
	$(say) TIDY $<
	$(Q)mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- -std=gnu11 $(CPPFLAGS) 2>/dev/null > $@ || test -s $@

# ---- targets

SUITE = TIDELOCK_BUILD=$(1) TIDELOCK_FAULTS=$(OUT)build-debug TIDELOCK_TOOLS=$(OUT)build T='$(T)' bash spec/support/suite.sh
built = $(1)/tidelock $(1)/libtidelock.so $(1)/fuzz-replay $(TOOLS) $(BENCH_TOOLS)

.PHONY: .always all debug asan tsan run install deps lint test test-unit test-flow test-san faults chaos soak fuzz bench bench-deps docs format clean help
.always:

all: $(OUT)build/tidelock ## build/tidelock, release
debug: $(OUT)build-debug/tidelock ## build-debug/tidelock: -O0 -g3 -DDEBUG
asan: $(OUT)build-asan/tidelock ## build-asan/tidelock: address and undefined behaviour sanitizers
tsan: $(OUT)build-tsan/tidelock ## build-tsan/tidelock: thread sanitizer

run: all ## installs what is missing, builds, shows the proxy with three demo services (TOUR=1: a guided tour)
	@TIDELOCK_BUILD=$(OUT)build exec luajit spec/demo/$(if $(TOUR),tour.lua $(TOUR),demo.lua)

# The unit names the place that the program will have, which DESTDIR is not part of.
install: all ## program, scripts and systemd's unit, below PREFIX (/usr/local; DESTDIR=DIR for packages)
	$(say) INSTALL $(DESTDIR)$(PREFIX)
	$(Q)install -D -m 755 $(OUT)build/tidelock $(DESTDIR)$(PREFIX)/bin/tidelock
	$(Q)install -d $(DESTDIR)$(PREFIX)/share/tidelock $(DESTDIR)$(PREFIX)/lib/systemd/system
	$(Q)cp -R --no-preserve=ownership scripts $(DESTDIR)$(PREFIX)/share/tidelock/
	$(Q)sed 's,@PREFIX@,$(PREFIX),' vendor/systemd/tidelock.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/tidelock.service
	$(Q)install -D -m 644 vendor/systemd/tidelock.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/tidelock.conf

deps: ## installs the missing packages of vendor/packages
	@vendor/install run build test

lint: $(TIDY) $(OUT)build/tidelock $(OUT)build/libtidelock.so ## luacheck, clang-tidy, the specs of the architecture
	@$(call SUITE,$(OUT)build) luacheck tidy:$(OUT)build/tidy spec/lint

test: $(call built,$(OUT)build) $(OUT)build-debug/tidelock $(TIDY) ## installs what is missing, builds, lints, runs every spec (T=pattern)
	@$(call SUITE,$(OUT)build) luacheck tidy:$(OUT)build/tidy spec

test-unit: $(call built,$(OUT)$(B)) ## C through FFI, the Lua library, the commands (T=pattern, B=build-asan)
	@$(call SUITE,$(OUT)$(B)) spec/support spec/unit spec/lua spec/scripts spec/fuzz

test-flow: $(call built,$(OUT)$(B)) ## the whole program (T=pattern, B=build-asan)
	@$(call SUITE,$(OUT)$(B)) spec/flow

test-san: $(call built,$(OUT)build-asan) $(OUT)build-tsan/tidelock ## specs under ASan+UBSan, then TSan
	@$(call SUITE,$(OUT)build-asan) spec/unit spec/lua spec/scripts spec/fuzz spec/flow; asan=$$?; \
	$(call SUITE,$(OUT)build-tsan) spec/flow && exit $$asan

faults: $(call built,$(OUT)build-asan) ## every call that can fail fails in turn, under ASan+UBSan (FAULTS=pattern of sites)
	@spec/faults/run $(OUT)build-asan $(OUT)build '$(FAULTS)'

chaos: $(OUT)$(B)/tidelock $(TOOLS) ## random churn that an oracle watches (SECONDS=60, SEED=n, B=build-asan)
	@TIDELOCK_CHAOS_SECONDS=$(or $(SECONDS),60) TIDELOCK_CHAOS_SEED=$(or $(SEED),$(shell date +%s)) \
	$(call SUITE,$(OUT)$(B)) spec/chaos/chaos_spec.lua

soak: $(OUT)$(B)/tidelock $(TOOLS) ## the same beside load: does memory end where it began? (MINUTES=30, SEED=n)
	@TIDELOCK_SOAK_MINUTES=$(or $(MINUTES),30) TIDELOCK_CHAOS_SEED=$(or $(SEED),1) \
	$(call SUITE,$(OUT)$(B)) spec/chaos/soak.lua

# clang is no part of `deps`: what it found is held by `make test` without it.
fuzz: ## libFuzzer over all targets of spec/fuzz for T seconds (60); F=name: one target
	@vendor/install run build fuzz
	@$(MAKE) --no-print-directory $(OUT)build-fuzz/fuzz
	@FUZZ_BUILD=$(OUT)build-fuzz bash spec/fuzz/run.sh $(or $(T),60) $(F)

bench: all $(TOOLS) $(BENCH_TOOLS) ## side by side with nginx, HAProxy and h2o (WORK=name,name; WORK=help; ROUNDS=7)
	@vendor/install bench
	@TIDELOCK_BUILD=$(OUT)build TIDELOCK_TOOLS=$(OUT)build exec luajit spec/bench/bench.lua --rounds $(or $(ROUNDS),7) \
	--json $(OUT)build/bench.json $(WORK)

bench-deps: ## installs the peers that bench compares with
	@vendor/install run build bench

docs: deps $(OUT)build/libtidelock.so ## writes the generated reference pages anew
	@TIDELOCK_BUILD=$(OUT)build luajit spec/docs/docs.lua

format: ## clang-format over src/ and the C of spec/
	@clang-format -i $$(find src spec -name '*.[ch]')

clean: ## removes every build directory
	@rm -rf $(addprefix $(OUT),build build-debug build-asan build-tsan build-fuzz)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## /\1 /p' $(firstword $(MAKEFILE_LIST)) | \
		while read -r goal text; do printf '  make %-10s %s\n' "$$goal" "$$text"; done
