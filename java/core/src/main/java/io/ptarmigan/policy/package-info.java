// SPDX-License-Identifier: Apache-2.0
/** What is to be done about a change of a watched translation, and how a user says so. */
package io.ptarmigan.policy;
