// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

/**
 * A hash table of nodes that carry their own key and link, so that putting and removing allocate
 * nothing. The table grows in {@link #reserve} only. Not thread-safe.
 *
 * <p>Keys are chosen by the guest; a random multiplier per table keeps it from aiming at one
 * bucket.
 */
final class LongIndex<N extends LongIndex.Node<N>> {
  abstract static class Node<N> {
    long key;
    private N nextInBucket;
  }

  private static final int LEAST_BUCKETS = 64;

  private final long multiplier;
  private N[] buckets;
  private int shift;
  private int size;

  LongIndex(long seed) {
    multiplier = seed | 1;
    resize(LEAST_BUCKETS);
  }

  int size() {
    return size;
  }

  N get(long key) {
    N node = buckets[bucket(key)];
    while (node != null && node.key != key) {
      node = next(node);
    }
    return node;
  }

  /** Adds a node whose key is not there yet. */
  void put(N node) {
    int at = bucket(node.key);
    setNext(node, buckets[at]);
    buckets[at] = node;
    size++;
  }

  /** Takes out a node that is there. */
  void remove(N node) {
    int at = bucket(node.key);
    if (buckets[at] == node) {
      buckets[at] = next(node);
    } else {
      N before = buckets[at];
      while (next(before) != node) {
        before = next(before);
      }
      setNext(before, next(node));
    }
    setNext(node, null);
    size--;
  }

  /** Makes room for so many nodes, at most one per two buckets. Allocates. */
  void reserve(int nodes) {
    if (nodes * 2L <= buckets.length) {
      return;
    }
    N[] old = buckets;
    resize(Integer.highestOneBit(Math.max(nodes, 1)) << 2);
    for (N head : old) {
      while (head != null) {
        N rest = next(head);
        put(head);
        head = rest;
      }
    }
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private void resize(int count) {
    buckets = (N[]) new Node[count];
    shift = Long.SIZE - Integer.numberOfTrailingZeros(count);
    size = 0;
  }

  /** The high bits of the product depend on every bit of the key. */
  private int bucket(long key) {
    return (int) (key * multiplier >>> shift);
  }

  private N next(N node) {
    return ((Node<N>) node).nextInBucket;
  }

  private void setNext(N node, N next) {
    ((Node<N>) node).nextInBucket = next;
  }
}
