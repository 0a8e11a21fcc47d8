// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.CommandLayout;
import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.paging.Translation;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Gathers the frames of a recording into moments. */
final class MomentReader {
  private final RecordingReader frames;
  private final Moment moment = new Moment();
  private boolean begun;
  private boolean more;
  private DamagedRecordingException damage;
  private long gaps;
  private long recordsLost;

  MomentReader(RecordingReader frames) {
    this.frames = frames;
  }

  /** The next moment, null after the last; the same object each time. */
  Moment next() throws IOException {
    if (!begun) {
      begun = true;
      moment.clear(frames.header().begun());
      advance();
      gather();
      return moment;
    }
    if (!more) {
      return null;
    }
    moment.clear(frames.at());
    moment.hasRecord = true;
    copy(moment.record, frames.length());
    advance();
    gather();
    return moment;
  }

  /** Up to the next record, on which the frames then stand. */
  private void gather() throws IOException {
    while (more && frames.kind() != Format.RECORD) {
      ByteBuffer payload = frames.payload();
      switch (frames.kind()) {
        case Format.DECISION -> decision();
        case Format.COMMAND -> moment.commands.add(command(payload));
        case Format.PLACED -> moment.placings.add(placing(payload));
        case Format.REMOVED ->
            moment.placings.add(new Moment.Placing(false, payload.getLong(0), 0, 0, 0, 0, null));
        case Format.REFUSED -> moment.refused = true;
        default -> gap(payload);
      }
      advance();
    }
  }

  private void advance() throws IOException {
    try {
      more = frames.next();
    } catch (DamagedRecordingException e) {
      more = false;
      damage = e;
    }
  }

  /** The last one counts, as it did for the native side; those of lost exits do not. */
  private void decision() {
    if (moment.hasRecord && frames.payload().getLong(DecisionLayout.SEQUENCE) == moment.sequence) {
      copy(moment.decision, DecisionLayout.SIZE);
      moment.hasDecision = true;
    }
  }

  private void copy(ByteBuffer target, int length) {
    target.put(0, frames.payload(), 0, length);
    for (int at = length; at < target.capacity(); at++) {
      target.put(at, (byte) 0);
    }
  }

  private static Moment.Command command(ByteBuffer payload) {
    return new Moment.Command(
        payload.getLong(CommandLayout.ID),
        payload.getInt(CommandLayout.KIND),
        payload.getInt(CommandLayout.LENGTH),
        payload.getLong(CommandLayout.GPA),
        payload.getLong(CommandLayout.MASK));
  }

  private static Translation before(ByteBuffer payload) throws DamagedRecordingException {
    long state = payload.getLong(40);
    Translation before = new Translation();
    if (state == Translation.UNKNOWN) {
      return null;
    }
    if (!before.restore((int) state, payload.getLong(48), (int) payload.getLong(56))) {
      throw new DamagedRecordingException("a translation that cannot be");
    }
    return before;
  }

  private static Moment.Placing placing(ByteBuffer payload) throws DamagedRecordingException {
    return new Moment.Placing(
        true,
        payload.getLong(0),
        payload.getLong(8),
        payload.getLong(16),
        payload.getLong(24),
        payload.getLong(32),
        before(payload));
  }

  private void gap(ByteBuffer payload) {
    moment.gap = true;
    gaps++;
    recordsLost += payload.getLong(0);
  }

  /** Why the recording could be read no further; null if it could to its end. */
  DamagedRecordingException damage() {
    return damage;
  }

  long gaps() {
    return gaps;
  }

  long recordsLost() {
    return recordsLost;
  }
}
