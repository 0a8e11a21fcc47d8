// SPDX-License-Identifier: Apache-2.0
/**
 * What a plug-in sees of Ptarmigan: watch the translation of a virtual address, veto a change, be
 * told of it. Nothing here depends on another part of the project.
 *
 * <p>Terms are those of the SDM (vol. 3A, chapter 5): an <em>entry</em> is one paging-structure
 * entry; a <em>level</em> counts from the page table, so that level 1 holds PTEs, 2 PDEs, 3 PDPTEs,
 * 4 PML4Es; a <em>frame</em> is a guest-physical address divided by 4096.
 */
package io.ptarmigan.api;
