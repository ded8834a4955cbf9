// What the bench does inside of a page: added to each before its own scripts run.

globalThis.bench = {
  /** Notes when that is there and painted. */
  watchFor(selector) {
    const look = new MutationObserver(() => {
      if (document.querySelector(selector) === null) return;
      look.disconnect();
      // The next frame shows it; what comes after that one is behind its painting.
      requestAnimationFrame(() => setTimeout(() => performance.mark('ready')));
    });
    look.observe(document, { childList: true, subtree: true });
  },

  /** When that was, or will have been, in milliseconds from the start of the navigation. */
  timeOf(type, name) {
    return new Promise((resolve) =>
      new PerformanceObserver((list) => {
        const [entry] = list.getEntriesByName(name);
        if (entry !== undefined) resolve(entry.startTime);
      }).observe({ type, buffered: true }),
    );
  },

  /** Nothing is waited for, and two frames have passed. */
  async isQuiet() {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    await frame();
    return document.querySelector('[role=status][aria-label="Wait a moment"]') === null;
  },

  /** Begins to look at what the next click changes: what the page says, or the state of a control. */
  watchClick() {
    const onClick = ({ timeStamp }) => {
      const look = new MutationObserver(() => {
        look.disconnect();
        requestAnimationFrame(() => setTimeout(() => found(performance.now() - timeStamp)));
      });
      look.observe(document.body, {
        childList: true,
        characterData: true,
        subtree: true,
        attributes: true,
        attributeFilter: ['aria-current', 'aria-selected', 'aria-expanded', 'data-loading'],
      });
    };
    let found;
    bench.changed = new Promise((resolve) => (found = resolve));
    addEventListener('click', onClick, { capture: true, once: true });
  },
};
