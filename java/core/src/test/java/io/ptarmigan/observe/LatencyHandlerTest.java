// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.StreamProducer;
import io.ptarmigan.ring.StreamProvider;
import java.util.EnumMap;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class LatencyHandlerTest {
  private final StreamProducer producer = new StreamProducer();
  private final StreamProvider provider = new StreamProvider(producer.stream());
  private final LatencyHandler handler = new LatencyHandler();

  private StreamProducer outcome(int result) {
    return producer
        .outcome(0, 1, result)
        .with(OutcomeLayout.TAKEN_NS, 1000L)
        .with(OutcomeLayout.PUBLISHED_NS, 1010L)
        .with(OutcomeLayout.SEEN_NS, 1030L)
        .with(OutcomeLayout.DECIDED_NS, 1070L)
        .with(OutcomeLayout.COLLECTED_NS, 1150L)
        .with(OutcomeLayout.REPLIED_NS, 1310L);
  }

  private void take() {
    long sequence = producer.publish();
    handler.onEvent(provider.get(sequence), sequence, true);
  }

  private Map<Share, Histogram> interval() {
    Map<Share, Histogram> interval = new EnumMap<>(Share.class);
    handler.takeInterval(interval);
    return interval;
  }

  @Test
  void sharesAddUpToTheTotal() {
    outcome(Native.PT_RESULT_APPLIED);
    take();
    Map<Share, Histogram> interval = interval();
    assertEquals(10, interval.get(Share.NATIVE).getMaxValue());
    assertEquals(20 + 80, interval.get(Share.RING).getMaxValue());
    assertEquals(40, interval.get(Share.JAVA).getMaxValue());
    assertEquals(160, interval.get(Share.REPLY).getMaxValue());
    assertEquals(310, interval.get(Share.TOTAL).getMaxValue());
  }

  @Test
  void anExitPublishedAgainCountsInTheTotalOnly() {
    outcome(Native.PT_RESULT_APPLIED).with(OutcomeLayout.EXIT, 5L);
    take();
    Map<Share, Histogram> interval = interval();
    assertEquals(0, interval.get(Share.JAVA).getTotalCount());
    assertEquals(1, interval.get(Share.TOTAL).getTotalCount());
  }

  @Test
  void anExitThatJavaDidNotDecideCountsInTheTotalOnly() {
    outcome(Native.PT_RESULT_STEPPED).with(OutcomeLayout.SEEN_NS, 0L);
    take();
    Map<Share, Histogram> interval = interval();
    assertEquals(0, interval.get(Share.RING).getTotalCount());
    assertEquals(1, interval.get(Share.TOTAL).getTotalCount());
  }

  @Test
  void lostSwapsAndContinuedOutcomesAreNotEnds() {
    outcome(Native.PT_RESULT_LOST_SWAP);
    take();
    outcome(Native.PT_RESULT_APPLIED).with(OutcomeLayout.MORE, 1);
    take();
    assertEquals(0, interval().get(Share.TOTAL).getTotalCount());
  }

  @Test
  void stampsOutOfOrderOrOutOfRangeAreClamped() {
    outcome(Native.PT_RESULT_APPLIED)
        .with(OutcomeLayout.DECIDED_NS, 0L)
        .with(OutcomeLayout.REPLIED_NS, Long.MAX_VALUE);
    take();
    Map<Share, Histogram> interval = interval();
    assertEquals(0, interval.get(Share.JAVA).getMaxValue());
    assertEquals(1, interval.get(Share.TOTAL).getTotalCount());
  }

  @Test
  void anIntervalBeginsWhereTheLastEnded() {
    outcome(Native.PT_RESULT_APPLIED);
    take();
    Map<Share, Histogram> interval = interval();
    handler.takeInterval(interval);
    assertEquals(0, interval.get(Share.TOTAL).getTotalCount());
  }
}
