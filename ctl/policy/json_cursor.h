/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For ctl/policy/table*.c only: a walk over JSON text that knows where it stands. Objects and
 * arrays on the way are entered member by member, and each member is decoded by jansson: a table of
 * a million entries needs the memory of one, and each has its line and column.
 */
#ifndef NG_CTL_POLICY_JSON_CURSOR_H
#define NG_CTL_POLICY_JSON_CURSOR_H

#include <jansson.h>

#include "ctl/policy/table_reader.h"

#define NG_JSON_KEY_MAX 32 /* longer keys are cut: none of ours is */

struct ng_json {
	struct ng_reader *r;
	const char *at;
};

/* The next character that is no blank; '\0' at the end of the text. */
char ng_json_peek(struct ng_json *j);
/* Takes a bracket that opens; false: something else stands here, and has been reported. */
bool ng_json_enter(struct ng_json *j, char bracket);
/* Whether another member follows, the comma before it being taken, or the closing bracket was.
 * first: none was taken yet, becomes false. False also when the text is broken (r->broken). */
bool ng_json_more(struct ng_json *j, char closing, bool *first);
/* Takes the key of a member and the colon. */
bool ng_json_key(struct ng_json *j, char key[NG_JSON_KEY_MAX]);
/* Takes a value and decodes it; the caller lets go of it. NULL: reported. */
json_t *ng_json_value(struct ng_json *j);
/* Takes a value by its brackets and quotes only. */
bool ng_json_skip(struct ng_json *j);
/* Nothing more may follow. */
void ng_json_end(struct ng_json *j);
/* The value of a key of the object at `at`, whose text is known to be good; or the object. */
struct ng_span ng_json_find(struct ng_reader *r, const char *at, const char *key);

#endif
