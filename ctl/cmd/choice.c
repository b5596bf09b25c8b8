// SPDX-License-Identifier: GPL-2.0-only
/* Option values from a fixed list. */
#include <errno.h>
#include <string.h>

#include "ctl/base/words.h"
#include "ctl/cmd/choice.h"
#include "maps/abi.h"

const char *const ng_hook_words[] = {
	[NG_HOOK_XDP] = "xdp",
	[NG_HOOK_TC_IN] = "tc-in",
	[NG_HOOK_TC_OUT] = "tc-out",
	[NG_HOOK_MAX] = NULL,
};

int ng_choice(const char *option, const char *word, const char *const *valid, unsigned int *out,
	      struct ng_error *err)
{
	const char *close;
	char list[256];

	for (unsigned int i = 0; valid[i]; i++)
		if (!strcmp(word, valid[i])) {
			*out = i;
			return 0;
		}
	close = ng_words_closest(word, valid);
	ng_err(err, NG_EXIT_USAGE, 0, option, "'%s' is none of its values", word);
	if (close)
		ng_err_why(err, "did you mean '%s'?", close);
	ng_err_why(err, "valid here: %s", ng_words_join(valid, list, sizeof(list)));
	return -EINVAL;
}
