// SPDX-License-Identifier: Apache-2.0
/**
 * A run in a file: written by a handler behind the decider, read again to decide the same exits
 * once more and to compare. The format stands in {@code docs/recording.md}.
 */
package io.ptarmigan.recording;
