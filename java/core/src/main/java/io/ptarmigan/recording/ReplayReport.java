// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What came of a replay. */
public final class ReplayReport {
  long records;
  long exits;
  long compared;
  long unjudged;
  long undecided;
  long differing;
  long denied;
  long retried;
  long lostSwaps;
  long commands;
  long commandDifferences;
  long watches;
  long watchesNotRecorded;
  long failures;
  long gaps;
  long recordsLost;
  long intactBytes;
  long nanos;
  DamagedRecordingException damage;
  final List<String> firstParting = new ArrayList<>();

  /** Decisions and commands are those of the recording, as far as it could be read. */
  public boolean identical() {
    return firstParting.isEmpty();
  }

  /** Why the recording could be used no further; null if it was used to its end. */
  public DamagedRecordingException damage() {
    return damage;
  }

  /** Where the replay first differs from the recording, in lines; empty if it does not. */
  public List<String> firstParting() {
    return List.copyOf(firstParting);
  }

  /** All figures by name; {@code docs/recording.md} says what each counts. */
  public Map<String, Object> figures() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("identical", identical());
    values.put("records", records);
    values.put("exits", exits);
    values.put("compared", compared);
    values.put("differing", differing);
    values.put("unjudged", unjudged);
    values.put("undecided", undecided);
    values.put("denied", denied);
    values.put("retried", retried);
    values.put("lost_swaps", lostSwaps);
    values.put("commands", commands);
    values.put("command_differences", commandDifferences);
    values.put("watches", watches);
    values.put("watches_not_recorded", watchesNotRecorded);
    values.put("decider_failures", failures);
    values.put("gaps", gaps);
    values.put("records_lost", recordsLost);
    values.put("intact_bytes", intactBytes);
    values.put("damage", damage == null ? null : damage.getMessage());
    values.put("exits_per_s", nanos == 0 ? 0 : Math.round(exits / (nanos / 1e9)));
    return values;
  }
}
