// SPDX-License-Identifier: GPL-2.0-only
/* Loads libpcap. */
#include "ctl/filter/pcap.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "ctl/base/err.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const file_names[] = { "libpcap.so.0.8" /* Debian */, "libpcap.so.1" };

#define PCAP(name)                                                                                 \
	{                                                                                          \
		"pcap_" #name, offsetof(struct ng_libpcap, name)                                   \
	}
static const struct {
	const char *name;
	size_t at;
} symbols[] = {
	PCAP(lib_version),
	PCAP(open_dead),
	PCAP(compile),
	PCAP(freecode),
	PCAP(open_offline_with_tstamp_precision),
	PCAP(datalink),
	PCAP(datalink_val_to_name),
	PCAP(next_ex),
	PCAP(geterr),
	PCAP(close),
	{ "bpf_image", offsetof(struct ng_libpcap, bpf_image) },
};
_Static_assert(COUNT(symbols) == sizeof(struct ng_libpcap) / sizeof(void *), "all functions");

static bool find_symbols(void *file, struct ng_libpcap *lib)
{
	for (size_t i = 0; i < COUNT(symbols); i++) {
		void *symbol = dlsym(file, symbols[i].name);

		if (!symbol)
			return false;
		memcpy((char *)lib + symbols[i].at, &symbol, sizeof(symbol));
	}
	return true;
}

static bool load(struct ng_libpcap *lib, struct ng_error *err)
{
	for (size_t i = 0; i < COUNT(file_names); i++) {
		void *file = dlopen(file_names[i], RTLD_NOW);

		if (file && find_symbols(file, lib))
			return true; /* and never closed */
		if (i)
			continue;
		ng_err(err, NG_EXIT_UNSUPPORTED, 0, "libpcap", "cannot be loaded");
		ng_err_why(err, "%s", dlerror());
		ng_err_try(err, "apt install libpcap0.8");
	}
	return false;
}

const struct ng_libpcap *ng_libpcap(struct ng_error *err)
{
	static struct ng_libpcap lib;
	static bool loaded;

	loaded = loaded || load(&lib, err);
	return loaded ? &lib : NULL;
}
