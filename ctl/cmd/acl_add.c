// SPDX-License-Identifier: GPL-2.0-only
/* nicgate acl add: one clause, or one for each prefix of a file, all or none. */
#include <errno.h>
#include <stdlib.h>

#include "ctl/cmd/acl.h"
#include "maps/counters.h"

static int show_change(struct ng_acl_call *c, const struct ng_acl_words *words,
		       const struct ng_acl_keys *keys, const struct ng_acl_change *done,
		       struct ng_error *err)
{
	struct ng_out *out = ng_acl_out_begin(c, err);
	const char *what = done->added ? "added" : done->changed ? "changed" : "unchanged";
	char text[NG_ACL_KEY_TEXT];

	if (!out)
		return -ENOMEM;
	ng_out_str(out, "hook", NULL, ng_hook_name[c->gate[words->dir]->hook]);
	ng_out_u64(out, "added", NULL, done->added);
	ng_out_u64(out, "changed", NULL, done->changed);
	ng_out_u64(out, "unchanged", NULL, done->unchanged);
	if (words->list) {
		ng_out_text(out, "%s: %zu added, %zu changed, %zu unchanged\n", c->link.name,
			    done->added, done->changed, done->unchanged);
	} else {
		ng_acl_key_format(words->dir, &keys->key[0], text);
		ng_out_text(out, "%s: %s %s: %s\n", c->link.name, ng_verdict_name[words->verdict],
			    text, what);
	}
	return ng_acl_out_end(out, err);
}

static int add_keys(struct ng_acl_call *c, const struct ng_acl_words *words,
		    const struct ng_acl_keys *keys, struct ng_error *err)
{
	struct ng_acl_change done;
	int rc = ng_acl_call_begin(c, err);

	if (!rc)
		rc = ng_acl_call_open(c, words->dir, err);
	if (!rc)
		rc = ng_acl_check_guards(c, words, keys, err);
	if (rc)
		return rc;
	rc = ng_acl_add_all(&c->gate[words->dir]->maps, keys->key, keys->n, words->verdict, &done);
	if (rc)
		return ng_acl_call_failed(c, c->gate[words->dir], rc, err);
	return show_change(c, words, keys, &done, err);
}

int ng_acl_run_add(struct ng_acl_call *c, struct ng_error *err)
{
	struct ng_acl_words words;
	struct ng_bad_word bad;
	struct ng_acl_keys keys = { 0 };
	int rc = ng_acl_words_parse(NG_ACL_FORM_ADD, c->argc - 3, c->argv + 3, &words, &bad);

	if (rc)
		return ng_acl_call_bad_word(c, 3, &bad, err);
	if (words.list) {
		rc = ng_acl_keys_read(c, &words, &keys, err);
		if (!rc)
			rc = add_keys(c, &words, &keys, err);
		free(keys.key);
		return rc;
	}
	ng_acl_warn_masked(&words);
	keys = (struct ng_acl_keys){ &words.key, 1 };
	return add_keys(c, &words, &keys, err);
}
