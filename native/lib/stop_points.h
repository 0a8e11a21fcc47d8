/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named points of an exit's path at which a test build can be made to stand still, to be killed there. Other builds
 * have nothing of it.
 */
#ifndef PTARMIGAN_STOP_POINTS_H
#define PTARMIGAN_STOP_POINTS_H

#ifdef PT_STOP_POINTS
/* Stands still for good where the environment names this point. */
void pt_stop_point(const char *name);
#define PT_STOP(name) pt_stop_point(name)
#else
#define PT_STOP(name) ((void)0)
#endif

#endif
