# Belfry. `make help` lists the targets; build products are only under build/.
#
#   BUILD=release (default), debug, asan, tsan     each has its own folder build/<BUILD>/
#   RUN=dir PORT_BASE=n LISTEN=address             which instance up, down, status and logs mean
#   EDGES=n RELAYS=n CONTROLS=n FANOUTS=n          up: how many of them (as many as there are; 1 when it is new; CONTROLS=0: none)

BUILD     ?= release
RUN       ?= run
PORT_BASE ?= 5000
LISTEN    ?= 127.0.0.1

O     := build/$(BUILD)
GEN   := build/gen
NNG_A := build/nng/libnng.a
CC    := gcc
export BUILD RUN PORT_BASE LISTEN EDGES RELAYS CONTROLS FANOUTS

# ---- flags ---------------------------------------------------------------------------------------------------------
VERSION  := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
CFLAGS   := -std=gnu11 -g -pipe -fPIC -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wundef -Wformat=2 -Wno-unused-parameter -fno-strict-aliasing -pthread -D_GNU_SOURCE
CPPFLAGS := -Iservices/common -I$(GEN) -isystem /usr/include/postgresql
LDFLAGS  := -pthread
LDLIBS   := -lmicrohttpd -ljansson -lpq -lhiredis $(NNG_A) -lprotobuf-c -lcrypto -lsodium

FLAGS_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection
LINK_release  := -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
TEST_release  := -O0 -U_FORTIFY_SOURCE # a test's own code runs once: three times as fast to compile
FLAGS_debug   := -O0
FLAGS_asan    := -O1 -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
LINK_asan     := -fsanitize=address,undefined
FLAGS_tsan    := -O1 -fsanitize=thread -fno-omit-frame-pointer
LINK_tsan     := -fsanitize=thread
ifeq ($(filter $(BUILD),release debug asan tsan),)
$(error BUILD=$(BUILD) is unknown; use release, debug, asan or tsan)
endif
CFLAGS  += $(FLAGS_$(BUILD))
LDFLAGS += $(LINK_$(BUILD))
BIN_LDFLAGS_release := -pie

# ---- what there is -------------------------------------------------------------------------------------------------
SERVICES  := tenant-registry call-control event-fanout
PROTOS    := $(wildcard proto/belfry/*/v1/*.proto)
PROTO_C   := $(PROTOS:proto/%.proto=$(GEN)/%.pb-c.c)
PROTO_H   := $(PROTO_C:.c=.h)
COMMON_C  := $(filter-out %_test.c,$(wildcard services/common/*.c))
COMMON_O  := $(COMMON_C:%.c=$(O)/%.o) $(PROTO_C:$(GEN)/%.c=$(O)/gen/%.o)
COMMON_A  := $(O)/libbelfry.a
SERVICE_C  = $(filter-out %_test.c,$(wildcard services/$(1)/*.c))
SERVICE_O  = $(patsubst %.c,$(O)/%.o,$(call SERVICE_C,$(1)))
BINS      := $(SERVICES:%=$(O)/bin/belfry-%) $(O)/bin/belfryctl

# Kamailio modules: files that include Kamailio's headers (_KC), and those that do not (_PC, and so have unit tests).
MODULES   := tenant tlsguard
MODULE_KC  = $(wildcard $(foreach kind,mod var rpc call proc,kamailio-modules/$(1)/*_$(kind).c))
MODULE_PC  = $(filter-out $(call MODULE_KC,$(1)) %_test.c,$(wildcard kamailio-modules/$(1)/*.c))
MODULE_K  := $(foreach m,$(MODULES),$(call MODULE_KC,$(m)))
MODULE_P  := $(foreach m,$(MODULES),$(call MODULE_PC,$(m)))
MODULE_SO := $(MODULES:%=$(O)/modules/%.so)
KAM_H     := build/kamailio-headers

TESTS_C   := $(wildcard services/*/*_test.c kamailio-modules/*/*_test.c loadtest/*_test.c)
TESTS     := $(TESTS_C:%.c=$(O)/test/%)
HEADERS   := $(wildcard services/*/*.h)
SOURCES   := $(wildcard services/*/*.[ch] kamailio-modules/*/*.[ch] loadtest/*.[ch] tests/fuzz/*.[ch])

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BINS) $(MODULE_SO) web ## build the services, the Kamailio modules and the console

# ---- the console and the browser phone (web/README.md): the same for every BUILD ---------------------------------------
WEB_SRC := $(shell find web/src -type f) web/build.mjs web/tsconfig.json
WEB_NPM := web/node_modules/.package-lock.json

web: build/web/index.html ## build the console and the browser phone

build/web/index.html: $(WEB_SRC) $(WEB_NPM)
	cd web && node build.mjs ../build/web

# The only step that asks the network, and only when these two files have changed. No package's own scripts are run.
$(WEB_NPM): web/package.json web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

web-check: web ## types, unit tests and sizes of web/
	$(DEPS) build web/check

# ---- generated ------------------------------------------------------------------------------------------------------
$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: proto/%.proto
	@mkdir -p $(GEN)
	protoc-c --proto_path=proto --c_out=$(GEN) $<

# ---- compile and link -----------------------------------------------------------------------------------------------
$(O)/%.o: %.c | $(PROTO_H)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

$(O)/%_test.o: CFLAGS += $(TEST_$(BUILD))

$(O)/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -w -MMD -MP -c -o $@ $<

$(O)/services/common/bf_config.o: CPPFLAGS += -DBELFRY_VERSION='"$(VERSION)"'
$(O)/services/tenant-registry/openapi.o: services/tenant-registry/openapi.yaml
$(O)/services/call-control/openapi.o: services/call-control/openapi.yaml
$(O)/services/event-fanout/openapi.o: services/event-fanout/openapi.yaml

$(COMMON_A): $(COMMON_O) $(NNG_A)
	@rm -f $@
	ar rcs $@ $(COMMON_O)

# Another installed nng (dpkg's list of its files is then newer), another patch, one less: made anew.
$(NNG_A): deploy/local/nng deploy/local/nng-patches $(wildcard deploy/local/nng-patches/*.patch) $(subst :,\:,$(wildcard /var/lib/dpkg/info/libnng-dev*.list))
	deploy/local/nng $(@D)

define service_rule
$(O)/bin/belfry-$(1): $(call SERVICE_O,$(1)) $(COMMON_A)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(BIN_LDFLAGS_$$(BUILD)) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach s,$(SERVICES),$(eval $(call service_rule,$(s))))

# A test is linked with everything of its folder but main.c.
define test_rule
$(O)/test/services/$(1)/%_test: $(O)/services/$(1)/%_test.o $(filter-out %/main.o,$(call SERVICE_O,$(1))) $(COMMON_A)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $(COMMON_A) -lcmocka $$(LDLIBS)
endef
$(foreach s,$(SERVICES) belfryctl,$(eval $(call test_rule,$(s))))

# The command line is no service: its name is what people type.
$(O)/bin/belfryctl: $(call SERVICE_O,belfryctl) $(COMMON_A)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(BIN_LDFLAGS_$(BUILD)) -o $@ $^ $(LDLIBS)
$(O)/bin/belfryctl $(O)/test/services/belfryctl/% $(O)/bin/belfry-call-control $(O)/test/services/call-control/% $(O)/bin/belfry-event-fanout $(O)/test/services/event-fanout/%: LDLIBS += -lcurl
$(O)/bin/belfry-event-fanout $(O)/test/services/event-fanout/%: LDLIBS += -lwebsockets

$(O)/test/services/common/%_test: $(O)/services/common/%_test.o $(COMMON_A)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

include kamailio-modules/modules.mk

# Programs that measure: loadtest/<name>.c is build/<BUILD>/bin/<name>; what else it needs stands in a line of its own.
$(O)/bin/%: $(O)/loadtest/%.o $(COMMON_A)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(BIN_LDFLAGS_$(BUILD)) -o $@ $(filter %.o,$^) $(COMMON_A) $(LDLIBS)

SIPLOAD_O := $(patsubst %.c,$(O)/%.o,$(filter-out %_test.c,$(wildcard loadtest/sipload_*.c)))
$(O)/bin/sipload: $(SIPLOAD_O)

$(O)/bin/eventload: $(O)/loadtest/eventload_socket.o $(O)/loadtest/sipload_hist.o
$(O)/bin/eventload: LDLIBS += -lcurl

$(O)/bin/planload: $(O)/loadtest/sipload_hist.o

$(O)/bin/tlsload: LDLIBS += -lssl

$(O)/test/loadtest/sipload_test: $(O)/loadtest/sipload_test.o $(SIPLOAD_O) $(COMMON_A)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(COMMON_A) -lcmocka $(LDLIBS)

# Fuzzing: tests/fuzz/<name>_fuzz.c against all of our code but main.c; seeds in tests/fuzz/seeds/<name>/.
FUZZ_SECONDS ?= 20
FUZZ_CC      ?= clang-14
FUZZ_C       := $(wildcard tests/fuzz/*_fuzz.c)
FUZZERS      := $(FUZZ_C:tests/fuzz/%_fuzz.c=$(O)/fuzz/%)
FUZZ_O        = $(patsubst %.c,$(O)/fuzz/%.o,$(COMMON_C) $(PROTO_C) $(MODULE_P) \
                $(filter-out %/main.c %/client.c,$(foreach s,$(SERVICES) belfryctl,$(call SERVICE_C,$(s)))))
FUZZ_FLAGS   := -std=gnu11 -g -O1 -w -pthread -D_GNU_SOURCE -DBELFRY_VERSION='"fuzz"' $(MODULES:%=-Ikamailio-modules/%) \
                $(patsubst %,-Iservices/%,$(SERVICES) belfryctl)

$(O)/fuzz/%.o: %.c | $(PROTO_H)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined $(CPPFLAGS) -MMD -MP -c -o $@ $<

# With whole paths as members: services have files of the same name.
$(O)/fuzz/ours.a: $(FUZZ_O)
	@rm -f $@
	ar rcsP $@ $^

$(FUZZERS): $(O)/fuzz/%: $(O)/fuzz/tests/fuzz/%_fuzz.o $(O)/fuzz/ours.a
	$(FUZZ_CC) -pthread -fsanitize=fuzzer,address,undefined -o $@ $^ $(LDLIBS)

# ---- tests and checks -----------------------------------------------------------------------------------------------
DEPS := @deploy/local/with-deps
SELF := $(MAKE) --no-print-directory

check: ## unit tests (a minute)
	$(DEPS) build,run,demo,test $(SELF) run-check
run-check: $(TESTS)
	@tests/unit $(TESTS)

fuzz: ## every fuzz target, FUZZ_SECONDS each (20)
	$(DEPS) build,fuzz $(SELF) run-fuzz
run-fuzz: $(FUZZERS)
	@for f in $(FUZZERS:$(O)/fuzz/%=%); do echo "fuzz: $$f"; mkdir -p $(O)/fuzz/found/$$f; \
	    $(O)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=$(O)/fuzz/found/ $(O)/fuzz/found/$$f tests/fuzz/seeds/$$f || exit 1; done

hdr-check: $(PROTO_H) ## every header compiles alone
	@printf '%s\n' $(HEADERS) | xargs -P "$$(nproc)" -I {} $(CC) $(CFLAGS) $(CPPFLAGS) -fsyntax-only -x c -include {} /dev/null
	@echo "hdr-check: $(words $(HEADERS)) headers compile alone"

format: ## lay out the sources with clang-format 14
	clang-format -i $(SOURCES)

format-check:
	clang-format --dry-run -Werror $(SOURCES)

tidy: $(PROTO_H) ## clang-tidy and shellcheck
	tests/tidy $(filter %.c,$(SOURCES))

docs-check: all ## settings, routes, metrics and module parameters are all documented
	tests/docs-check

compile_commands.json: ## for editors: needs bear
	bear -- $(MAKE) -B all

asan: ## build with AddressSanitizer; `make test BUILD=asan` runs the tests on it
	$(MAKE) BUILD=asan all
tsan: ## build with ThreadSanitizer
	$(MAKE) BUILD=tsan all

e2e: $(WEB_NPM) ## end-to-end tests against an instance of their own
	tests/e2e/run

test: ## everything: packages, build, checks, unit and end-to-end tests
	tests/all

tls-stress: ## what TLS of Kamailio 5.6 does with and without tlsguard.so (some minutes)
	$(DEPS) build,run,demo $(SELF) all
	tests/tls-stress

bench: ## the figures of docs/benchmarks.md, as a table and as JSON
	$(DEPS) build,run,demo,test loadtest/bench

# ---- an instance on this machine ------------------------------------------------------------------------------------
up: ## install what is missing, build, start everything, wait until it is ready
	@deploy/local/belfry up
down: ## stop the instance; its data stays
	@deploy/local/belfry down
status: ## what runs, and where things are
	@deploy/local/belfry status
logs: ## follow the logs
	@deploy/local/belfry logs
demo: ## two tenants, real phones and browsers, webhooks, a woken phone: a report to look at
	$(DEPS) build,run,demo $(SELF) run-demo
run-demo: $(WEB_NPM)
	@tests/demo/run

clean: ## remove the build products (never an instance)
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9_.-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@sed -n 's/^#  /  /p' $(firstword $(MAKEFILE_LIST))

.PHONY: all check run-check run-demo web web-check fuzz run-fuzz hdr-check format format-check tidy docs-check asan tsan e2e test tls-stress bench up down status logs demo clean help

-include $(shell find $(O) -name '*.d' 2>/dev/null)
