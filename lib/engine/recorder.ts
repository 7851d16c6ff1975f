import type { Ticker } from '../domain/ids.ts';
import type { SessionDay } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal, JournalKind } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';

/**
 * The engine's hand on the journal: stamps records, and knows whether the journal still takes them. The first refused
 * record makes it broken; the first one that is written again mends it.
 */
export type Recorder = {
  /** Written, or not; never rejects. */
  write(kind: JournalKind, symbol: Ticker | null, body: unknown): Promise<boolean>;
  /** Later records belong to this day. */
  openDay(day: SessionDay): void;
  day(): SessionDay | null;
  broken(): boolean;
};

export function createRecorder(clock: Clock, journal: Journal, log: Log): Recorder {
  let day: SessionDay | null = null;
  let isBroken = false;

  function note(failed: boolean, cause: unknown): boolean {
    if (failed && !isBroken)
      log.error('journal.failed', {
        text: cause instanceof Error ? cause.message : String(cause),
        consequence: 'entries stop, exits go on',
      });
    if (!failed && isBroken) log.warn('journal.mended', { consequence: 'entries may go on' });
    isBroken = failed;
    return !failed;
  }

  return {
    async write(kind, symbol, body) {
      if (day === null) return note(true, 'no session day is open');
      try {
        await journal.append({ day, at: clock.now(), kind, symbol, body });
        return note(false, null);
      } catch (cause) {
        return note(true, cause);
      }
    },
    openDay(opened) {
      day = opened;
    },
    day: () => day,
    broken: () => isBroken,
  };
}
