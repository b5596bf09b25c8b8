// SPDX-License-Identifier: GPL-2.0-only
/* nicgate: global options, the table of verbs, the exit status. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "ctl/base/out.h"
#include "ctl/cmd/cmd.h"
#include "ctl/net/net.h"

static const struct ng_verb *const verbs[] = {
	NULL,
};

int main(int argc, char **argv)
{
	(void)argc, (void)argv, (void)verbs;
	return NG_EXIT_OK;
}
