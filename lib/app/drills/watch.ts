/** A drill that cannot go on: what it waited for did not come, or its daemon is gone. */
export class DrillStopped extends Error {
  override readonly name = 'DrillStopped';
  readonly invariant: 'recovered' | 'ended' | 'aborted';

  constructor(invariant: DrillStopped['invariant'], text: string) {
    super(text);
    this.invariant = invariant;
  }
}

/** Waits for what has been seen or will be; every wait ends after `patienceMs` of wall time, or with `fail`. */
export type Watch = {
  for<T>(what: string, find: () => T | null): Promise<T>;
  /** Something new can be found. */
  look(): void;
  /** Ends every wait, and each one that comes later. */
  fail(cause: DrillStopped): void;
};

export function createWatch(patienceMs: number): Watch {
  const waits = new Set<{ look(): void; fail(cause: DrillStopped): void }>();
  let failed: DrillStopped | null = null;
  return {
    for<T>(what: string, find: () => T | null): Promise<T> {
      const found = find();
      if (found !== null) return Promise.resolve(found);
      if (failed !== null) return Promise.reject(failed);
      return new Promise((resolve, reject) => {
        const end = (): void => {
          clearTimeout(timer);
          waits.delete(wait);
        };
        const wait = {
          look(): void {
            const now = find();
            if (now === null) return;
            end();
            resolve(now);
          },
          fail(cause: DrillStopped): void {
            end();
            reject(cause);
          },
        };
        const timer = setTimeout(
          () =>
            wait.fail(
              new DrillStopped('recovered', `waited ${Math.round(patienceMs / 1_000)} s for ${what}`),
            ),
          patienceMs,
        );
        waits.add(wait);
      });
    },
    look() {
      for (const wait of [...waits]) wait.look();
    },
    fail(cause) {
      failed ??= cause;
      for (const wait of [...waits]) wait.fail(cause);
    },
  };
}
