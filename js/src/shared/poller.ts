/** Calls something again and again: never two at once, slower and slower while it fails. */

export interface PollerOptions {
  /** Resolves to whether it went well. */
  run: () => Promise<boolean>;
  /** Whether anybody would see the outcome. */
  isWanted: () => boolean;
  shortestMs: number;
  longestMs: number;
}

export class Poller {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private running: Promise<void> | null = null;
  private next: Promise<void> | null = null;
  private delay: number;
  private stopped = true;

  constructor(private readonly options: PollerOptions) {
    this.delay = options.shortestMs;
  }

  start(): void {
    this.stopped = false;
    void this.now();
  }

  stop(): void {
    this.stopped = true;
    this.clear();
  }

  /** Runs at once; while a run is under way, once more right after it. */
  now(): Promise<void> {
    if (this.running) {
      this.next ??= this.running.then(() => {
        this.next = null;
        return this.stopped ? undefined : this.now();
      });
      return this.next;
    }
    this.clear();
    this.running = this.once().finally(() => {
      this.running = null;
      this.schedule();
    });
    return this.running;
  }

  /** To be called when what `isWanted` says may have changed. */
  wake(): void {
    if (!this.stopped && !this.running && this.timer === null && this.options.isWanted()) {
      void this.now();
    }
  }

  private async once(): Promise<void> {
    const { run, shortestMs, longestMs } = this.options;
    const wentWell = await run().catch(() => false);
    this.delay = wentWell ? shortestMs : Math.min(this.delay * 2, longestMs);
  }

  private schedule(): void {
    if (this.stopped || !this.options.isWanted()) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      if (this.options.isWanted()) void this.now();
    }, this.delay);
  }

  private clear(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
