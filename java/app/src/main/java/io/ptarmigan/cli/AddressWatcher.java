// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.Monitor;
import io.ptarmigan.api.Plugin;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import java.util.List;

/** Watches the addresses named on the command line, and denies changes of those that say so. */
final class AddressWatcher implements Plugin {
  private final List<WatchedAddress> addresses;
  private final ChangePrinter printer;

  AddressWatcher(List<WatchedAddress> addresses, ChangePrinter printer) {
    this.addresses = addresses;
    this.printer = printer;
  }

  @Override
  public void start(Monitor monitor) {
    for (WatchedAddress address : addresses) {
      monitor
          .watches()
          .watch(address.cr3(), address.address(), Bits.DEFAULT, new Listener(address));
    }
  }

  private final class Listener implements TranslationListener {
    private final String name;
    private final Verdict verdict;

    Listener(WatchedAddress address) {
      name = address.name();
      verdict = address.deny() ? Verdict.DENY : Verdict.ALLOW;
    }

    @Override
    public Verdict before(TranslationChange proposed) {
      return verdict;
    }

    @Override
    public void changed(TranslationChange change) {
      printer.changed(name, change);
    }
  }
}
