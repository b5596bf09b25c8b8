/* SPDX-License-Identifier: GPL-2.0-only */
/* What INT, TERM, HUP and USR1 ask of a capture. The only state that a signal handler shares. */
#ifndef NG_CTL_CAPTURE_SIGNALS_H
#define NG_CTL_CAPTURE_SIGNALS_H

#include <stdbool.h>

/*
 * Installs the handlers: system calls are interrupted, PIPE is ignored, HUP stays ignored under
 * nohup. Returns a descriptor (owned by this module, closed by ng_signals_end()) that becomes
 * readable with each signal, or -errno.
 */
int ng_signals_begin(void);
void ng_signals_end(void);   /* default actions again */
void ng_signals_drain(void); /* empties the descriptor */
bool ng_signals_stop(void);
bool ng_signals_abandon(void); /* asked twice: do not wait for a reader that does not read */
bool ng_signals_counts(void);  /* true once per USR1 */

#endif
