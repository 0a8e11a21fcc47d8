// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.api.TranslationChange;

/** Takes changes from the decider to the observer thread. */
public interface ChangeSink {
  /** Called on the decider thread; {@code change} is reused, so the sink copies it. */
  void changed(TranslationChange change);
}
