# The modules: compiled against the headers of exactly the installed Kamailio, loaded by the stock program.

KAM_VERSION := $(shell kamailio -v 2>/dev/null | awk 'NR == 1 {print $$3}')
KAM_ARCH    := $(shell kamailio -v 2>/dev/null | awk 'NR == 1 {split(substr($$4, 2), part, "/"); print part[1]}')
KAM_FLAGS   := $(shell kamailio -v 2>/dev/null | sed -n 's/^flags: //p')

# How Debian compiles Kamailio. The loader compares version and flags; that they are the same is checked after linking.
KAM_DEFS := -DNAME='"kamailio"' -DVERSION='"$(KAM_VERSION)"' -DARCH='"$(KAM_ARCH)"' -DOS_QUOTED='"linux"' \
    -D__CPU_$(KAM_ARCH) -DADAPTIVE_WAIT_LOOPS=1024 \
    $(addprefix -D,CC_GCC_LIKE_ASM HAVE_GETHOSTBYNAME2 USE_TCP USE_TLS USE_SCTP TLS_HOOKS USE_RAW_SOCKS \
    DISABLE_NAGLE USE_MCAST DNS_IP_HACK SHM_MMAP PKG_MALLOC Q_MALLOC F_MALLOC TLSF_MALLOC DBG_SR_MEMORY USE_FUTEX \
    FAST_LOCK ADAPTIVE_WAIT USE_DNS_CACHE USE_DNS_FAILOVER USE_NAPTR USE_DST_BLOCKLIST HAVE_RESOLV_RES \
    KSR_PTHREAD_MUTEX_SHARED STATISTICS)
KAM_DEFS_OF = $(KAM_DEFS) -DMOD_NAME='"$(1)"' -DMOD_NAMEID=$(1)

MODULE_LIBS_tenant   := $(NNG_A) -lprotobuf-c -lcrypto -lsodium -ljansson
MODULE_LIBS_tlsguard := -lcrypto

# Another installed Kamailio (dpkg's list of its files is then newer): everything below is compiled anew.
$(KAM_H)/.version: deploy/local/kamailio-headers $(wildcard /var/lib/dpkg/info/kamailio.list)
	deploy/local/kamailio-headers $(KAM_H)

# Kamailio's headers are not written for our warnings: -isystem keeps these for our own lines.
define module_rule
$(patsubst %.c,$(O)/%.o,$(call MODULE_KC,$(1))): CPPFLAGS += -isystem $(KAM_H) $(call KAM_DEFS_OF,$(1))
$(patsubst %.c,$(O)/%.o,$(call MODULE_KC,$(1))): $(KAM_H)/.version

$(O)/test/kamailio-modules/$(1)/%_test: $(O)/kamailio-modules/$(1)/%_test.o $(patsubst %.c,$(O)/%.o,$(call MODULE_PC,$(1))) $(COMMON_A)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ -lcmocka $$(LDLIBS)
endef
$(foreach m,$(MODULES),$(eval $(call module_rule,$(m))))

ifneq ($(filter asan tsan,$(BUILD)),)
# A sanitizer cannot live in a program that was built without it: the modules themselves are always the plain ones.
$(MODULE_SO): $(O)/modules/%.so: FORCE
	+$(MAKE) BUILD=release O=$(O)/plain $(O)/plain/modules/$*.so
	@mkdir -p $(@D)
	cp $(O)/plain/modules/$*.so $@
else
define module_link
$(O)/modules/$(1).so: $(patsubst %.c,$(O)/%.o,$(call MODULE_KC,$(1)) $(call MODULE_PC,$(1))) $(COMMON_A) kamailio-modules/module.map
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -shared -Wl,--version-script=kamailio-modules/module.map -o $$@ $$(filter %.o,$$^) $$(COMMON_A) \
	    -Wl,--as-needed $$(MODULE_LIBS_$(1))
	@grep -qaF '$$(KAM_FLAGS)' $$@ || { rm -f $$@; \
	    echo "$$(@F): compile flags differ from those of the installed kamailio ('kamailio -v'): see KAM_DEFS in kamailio-modules/modules.mk" >&2; exit 1; }
endef
$(foreach m,$(MODULES),$(eval $(call module_link,$(m))))
endif

# loadtest/tenant_table_bench.c measures the table alone.
$(O)/loadtest/tenant_table_bench.o: CPPFLAGS += -Ikamailio-modules/tenant
$(O)/bin/tenant_table_bench: $(patsubst %.c,$(O)/%.o,$(call MODULE_PC,tenant))

.PHONY: FORCE
FORCE:
