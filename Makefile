# SPDX-License-Identifier: GPL-2.0-only
# nicgate: one Makefile, all output in build/. `make help` lists the targets.
O         ?= build
CC        ?= cc
CLANG     ?= clang
BPFTOOL   ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
PKGCONF   ?= pkg-config
PREFIX    ?= /usr/local
SBINDIR   ?= $(PREFIX)/sbin
MANDIR    ?= $(PREFIX)/share/man
KERNELS   ?= 6.1 6.12 latest

VERSION := 0.1.0
# pkg-config name : Debian package
LIBRARY := libbpf:libbpf-dev libxdp:libxdp-dev libpcap:libpcap-dev libnl-3.0:libnl-3-dev \
           libnl-route-3.0:libnl-route-3-dev libcap-ng:libcap-ng-dev libelf:libelf-dev jansson:libjansson-dev
PKGS    := $(foreach l,$(LIBRARY),$(firstword $(subst :, ,$l)))
ifneq ($(filter-out clean help lint,$(or $(MAKECMDGOALS),all)),)
need = $(if $(shell command -v $(1)),,$(error $(1) is missing: apt install $(2) (scripts/deps.sh installs everything)))
$(call need,$(CC),gcc)
$(call need,$(CLANG),clang)
$(call need,$(BPFTOOL),bpftool)
$(call need,$(PKGCONF),pkg-config)
ifneq ($(shell $(PKGCONF) --exists $(PKGS) || echo no),)
$(foreach l,$(LIBRARY),$(if $(shell $(PKGCONF) --exists $(firstword $(subst :, ,$l)) || echo no),\
  $(error $(firstword $(subst :, ,$l)) is missing: apt install $(lastword $(subst :, ,$l)) (scripts/deps.sh installs everything))))
endif
endif
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wvla -Wformat=2 -Wundef -Wwrite-strings
WERROR  ?= -Werror
ifdef SAN
override O := $(O)/san
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
# -MD, not -MMD: the skeletons are found as system headers, so that their warnings do not count.
ALL_C   := -std=gnu11 -D_GNU_SOURCE -DNG_VERSION='"$(VERSION)"' \
           -DNG_LIBXDP_VERSION='"$(shell $(PKGCONF) --modversion libxdp)"' $(WARN) $(WERROR) \
           $(SANFLAGS) -I. -isystem $(O)/skel $(shell $(PKGCONF) --cflags $(PKGS)) -MD -MP
# libpcap is loaded when it is needed (ctl/filter/pcap.h); tests ask it themselves.
LIBS    := $(shell $(PKGCONF) --libs $(filter-out libpcap,$(PKGS))) -lpthread
BPF_C   := -target bpf -mcpu=v3 -std=gnu11 -O2 -g -Wall -Wextra $(WERROR) -I. \
           -idirafter /usr/include/$(shell $(CC) -print-multiarch) -MMD -MP
ifeq ($(V),1)
Q =
say = @:
else
Q = @
say = @printf '  %-7s %s\n'
endif

lib_src  := $(wildcard maps/*.c) $(filter-out ctl/main.c,$(wildcard ctl/*/*.c))
lib_obj  := $(lib_src:%.c=$(O)/%.o)
bpf_src  := $(wildcard xdp/*.bpf.c tc/*.bpf.c tests/bpf/*.bpf.c tests/bench/*/*.bpf.c)
skel     := $(foreach s,$(bpf_src:%.bpf.c=%),$(O)/skel/$(subst /,_,$(s)).skel.h)
unit_bin := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/*_test.c))
bpf_bin  := $(patsubst %.c,$(O)/%,$(wildcard tests/bpf/*_test.c))
# What tests share: beside them, and all of tests/fuzz but the programs.
test_obj := $(patsubst %.c,$(O)/%.o,$(wildcard tests/*.c) \
              $(filter-out %_fuzz.c,$(wildcard tests/fuzz/*.c)))
fuzz_bin := $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/*_fuzz.c))
tool_bin := $(patsubst %.c,$(O)/%,$(wildcard tests/tools/*.c))
bench_bin := $(patsubst %.c,$(O)/%,$(wildcard tests/bench/*_bench.c))
kern_obj := $(patsubst %.c,$(O)/%.o,$(wildcard tests/kernels/*.bpf.c))
all_test := $(sort $(unit_bin) $(wildcard tests/unit/*_test.sh)) $(sort $(bpf_bin)) \
            $(sort $(wildcard tests/e2e/*_test.sh))
# TESTS: words; a test is run when its path contains one of them. Empty: all.
run_test := $(if $(TESTS),$(foreach t,$(all_test),$(if $(strip \
              $(foreach w,$(TESTS:.c=),$(findstring $w,$t))),$t)),$(all_test))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all tests check bench fuzz golden kernels lint install clean help FORCE
all: $(O)/nicgate ## build build/nicgate

$(O)/nicgate: $(O)/ctl/main.o $(O)/libnicgate.a
	$(say) LD $@
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
$(O)/libnicgate.a: $(lib_obj)
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^
$(O)/%.o: %.c $(O)/flags | $(skel)
	$(say) CC $<
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(ALL_C) -c -o $@ $<
$(O)/%.bpf.o: %.bpf.c $(O)/flags
	$(say) BPF $<
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_C) -c -o $@ $<
define skel_rule
$(O)/skel/$(subst /,_,$(1)).skel.h: $(O)/$(1).bpf.o
	$$(say) SKEL $$@
	$$(Q)mkdir -p $$(@D) && $$(BPFTOOL) gen skeleton $$< name $(subst /,_,$(1)) >$$@
endef
$(foreach s,$(bpf_src:%.bpf.c=%),$(eval $(call skel_rule,$(s))))
$(O)/tests/libtests.a: $(test_obj)
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^
$(O)/tests/%: $(O)/tests/%.o $(O)/tests/libtests.a $(O)/libnicgate.a
	$(say) LD $@
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS) $(shell $(PKGCONF) --libs libpcap) -lm
# A bench NAME_bench has its parts in NAME/, which tests/bpf/NAME_bench_test tests.
bench_obj = $(patsubst %.c,$(O)/%.o,$(filter-out %.bpf.c,$(wildcard tests/bench/$(1)/*.c)))
$(foreach b,$(patsubst %_bench,%,$(notdir $(bench_bin))),$(eval \
  $(O)/tests/bench/$(b)_bench $(O)/tests/bpf/$(b)_bench_test: $(call bench_obj,$(b))))
# Rebuilds everything when the flags change.
flags_now = $(CC) $(CFLAGS) $(ALL_C) $(CLANG) $(BPF_C)
$(O)/flags: FORCE
	$(Q)mkdir -p $(O); echo '$(flags_now)' | cmp -s - $@ || echo '$(flags_now)' >$@

tests: all $(unit_bin) $(bpf_bin) $(tool_bin) $(fuzz_bin) $(bench_bin) $(kern_obj) ## build the tests without running them
check: tests ## run the tests; TESTS='acl unit/num' runs those whose path contains a word
	$(if $(run_test),,$(error no test has '$(TESTS)' in its path))
	$(Q)NICGATE=$(CURDIR)/$(O)/nicgate NG_TOOLS=$(CURDIR)/$(O)/tests/tools NG_BUILD=$(CURDIR)/$(O) \
	  NG_TEST_OUT=$${NG_TEST_OUT:-$(CURDIR)/$(O)/tests/tap} scripts/test.sh $(run_test)
# FUZZ: words, as TESTS.
run_fuzz := $(if $(FUZZ),$(foreach f,$(fuzz_bin),$(if $(strip \
              $(foreach w,$(FUZZ),$(findstring $w,$f))),$f)),$(fuzz_bin))
fuzz: $(fuzz_bin) ## fuzz filters, the ACL's tables and their readers; FUZZ=filter FUZZ_CASES=1000000 FUZZ_SEED=1
	$(if $(run_fuzz),,$(error no fuzzer has '$(FUZZ)' in its path))
	$(Q)for f in $(run_fuzz); do $$f $(FUZZ_CASES) $(if $(FUZZ_SEED),$(if $(FUZZ_CASES),,10000000) $(FUZZ_SEED)) || exit; done
golden: $(O)/tests/bpf/filter_cost_test ## rewrite tests/golden from what is now
	$(Q)$< --write
kernels: tests ## run the BPF and end-to-end tests inside $(KERNELS), in QEMU
	$(Q)NG_BUILD=$(O) scripts/kernels.sh $(KERNELS)
# BENCH: words, as TESTS. BENCH_ROUNDS, BENCH_QUICK: docs/testing.md.
run_bench := $(if $(BENCH),$(foreach b,$(bench_bin),$(if $(strip \
               $(foreach w,$(BENCH),$(findstring $w,$b))),$b)),$(bench_bin))
bench: all $(bench_bin) ## measure; BENCH='filter' runs those whose path contains a word
	$(if $(run_bench),,$(error no bench has '$(BENCH)' in its path))
	$(Q)for b in $(run_bench); do $$b || exit; done
lint: ## static checks: layout, shell, dependency directions, manual page
	$(Q)scripts/lint.sh
install: all ## install into $(DESTDIR)$(PREFIX)
	install -D -m 755 $(O)/nicgate $(DESTDIR)$(SBINDIR)/nicgate
	ln -sf nicgate $(DESTDIR)$(SBINDIR)/nicgatedump
	install -D -m 644 docs/nicgate.8 $(DESTDIR)$(MANDIR)/man8/nicgate.8
clean: ## remove all output
	rm -rf $(O)
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14
	@echo 'variables: SAN=1 (ASan, UBSan; in build/san) V=1 (show commands) CC CLANG CFLAGS PREFIX DESTDIR'

-include $(shell find $(O) -name '*.d' 2>/dev/null)
