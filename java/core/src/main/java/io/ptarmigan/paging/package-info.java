// SPDX-License-Identifier: Apache-2.0
/**
 * Page tables as the processor reads them: modes, entries, translations. Pure functions of numbers;
 * nothing here knows of guests, exits or watches. Source: SDM vol. 3A, chapter 5.
 */
package io.ptarmigan.paging;
