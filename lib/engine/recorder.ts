import type { Ticker } from '../domain/ids.ts';
import { between, type Micros, type SessionDay, seconds } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import { type GapBody, type Journal, type JournalKind, RECORDED } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';

/**
 * The engine's hand on the journal: stamps records, and knows whether the journal still takes them.
 *
 * 1. The first refused record makes it broken. It is mended when a record is written again and the gap before it as well.
 * 2. What was refused is counted by day and symbol, and written as `gap` records: a symbol's own ahead of its next record,
 *    those of others as soon as the journal takes something. Whoever reads the day knows where it is not whole.
 * 3. A refused record costs two appends at most, however many symbols have lost some: what the journal cannot take must not
 *    keep the engine from the rest of its work, nor the journal from catching up.
 * 4. Both are told once, the beginning and the end.
 */
export type Recorder = {
  /** Whether it was written: `true` at once when the journal knows already, otherwise later; never rejects. */
  write(kind: JournalKind, symbol: Ticker | null, body: unknown): Written;
  /** Later records belong to this day. */
  openDay(day: SessionDay): void;
  day(): SessionDay | null;
  broken(): boolean;
  /** Records that this run could not write. */
  lost(): number;
};

export type Written = true | Promise<boolean>;

type Loss = { readonly day: SessionDay; readonly symbol: Ticker | null; readonly body: GapBody };

/** `onMended`: the journal is whole again from here on, and lacks what its gap records tell. */
export function createRecorder(
  clock: Clock,
  journal: Journal,
  log: Log,
  onMended: () => void = () => undefined,
): Recorder {
  let day: SessionDay | null = null;
  let brokenSince: Micros | null = null;
  let lostInAll = 0;
  let lostBefore = 0;
  let gapsUnderWay = 0;
  /** Gaps to have under way at most: one more for each that was taken, one again after a refusal. */
  let gapsMax = 1;
  const losses = new Map<string, Loss>();

  function lose(loss: Loss): void {
    const key = keyOf(loss.day, loss.symbol);
    const known = losses.get(key);
    losses.set(key, known === undefined ? loss : { ...loss, body: sum(known.body, loss.body) });
  }

  function breaks(cause: unknown): void {
    if (brokenSince !== null) return;
    brokenSince = clock.now();
    lostBefore = lostInAll;
    log.error('journal.failed', { text: textOf(cause), consequence: 'entries stop, exits go on' });
  }

  /** A record was written. */
  function holds(): void {
    if (brokenSince === null || gapsUnderWay > 0) return;
    for (const loss of losses.values()) {
      if (gapsUnderWay >= gapsMax) return;
      writeGap(loss);
    }
    if (gapsUnderWay > 0) return;
    log.warn('journal.mended', {
      lost: lostInAll - lostBefore,
      seconds: between(brokenSince, clock.now()) / seconds(1),
      consequence: 'entries may go on',
    });
    brokenSince = null;
    onMended();
  }

  function writeGap(loss: Loss): void {
    const { day, symbol, body } = loss;
    losses.delete(keyOf(day, symbol));
    gapsUnderWay += 1;
    journal.append({ day, at: clock.now(), kind: 'gap', symbol, body }).then(
      () => {
        gapsUnderWay -= 1;
        gapsMax += 1;
        holds();
      },
      () => {
        gapsUnderWay -= 1;
        gapsMax = 1;
        lose(loss);
      },
    );
  }

  return {
    write(kind, symbol, body) {
      if (day === null) {
        breaks('no session day is open');
        return Promise.resolve(false);
      }
      const at = clock.now();
      const record = { day, at, kind, symbol, body };
      const loss = losses.size > 0 ? losses.get(keyOf(day, symbol)) : undefined;
      if (loss !== undefined) writeGap(loss);
      const appended = journal.append(record);
      if (appended === RECORDED && brokenSince === null) return true;
      return appended.then(
        () => {
          holds();
          return true;
        },
        (cause: unknown) => {
          breaks(cause);
          lostInAll += 1;
          lose({ ...record, body: { what: 'lost', records: 1, from: at, to: at, cause: textOf(cause) } });
          return false;
        },
      );
    },
    openDay(opened) {
      day = opened;
    },
    day: () => day,
    broken: () => brokenSince !== null,
    lost: () => lostInAll,
  };
}

const keyOf = (day: SessionDay, symbol: Ticker | null): string => `${day} ${symbol ?? ''}`;

/** The first refusal said why; the others follow from it. */
function sum(one: GapBody, other: GapBody): GapBody {
  const [first, second] = one.from <= other.from ? [one, other] : [other, one];
  return {
    what: 'lost',
    records: one.records + other.records,
    from: first.from,
    to: Math.max(first.to, second.to) as Micros,
    cause: first.cause,
  };
}

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
