import { expect } from 'chai';
import fc from 'fast-check';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { SessionDay } from '../../lib/domain/time.ts';
import { createRecorder } from '../../lib/engine/recorder.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { GapBody, Journal, JournalRecord } from '../../lib/ports/journal.ts';
import { memoryJournal } from './simulated-day.ts';
import { type LoggedLine, loggingTo, START, settle } from './support.ts';

const DAY = '2026-10-05' as SessionDay;
const symbolOf = (n: number): Ticker => `S${n}` as Ticker;
const MANY = Array.from({ length: 500 }, (_, n) => symbolOf(n));

/** A recorder, and a journal that takes as many records as there is room for. */
function world() {
  const lines: LoggedLine[] = [];
  const taken: JournalRecord[] = [];
  const stand = { room: 0, appends: 0, mended: 0 };
  const journal: Journal = {
    ...memoryJournal(),
    append(record) {
      stand.appends += 1;
      if (stand.room <= 0) return Promise.reject(new Error('no room'));
      stand.room -= 1;
      taken.push(record);
      return Promise.resolve();
    },
  };
  const recorder = createRecorder(createVirtualClock(START), journal, loggingTo(lines), () => {
    stand.mended += 1;
  });
  recorder.openDay(DAY);
  const write = async (symbol: Ticker | null): Promise<void> => {
    void recorder.write('input', symbol, {});
    await settle();
  };
  const writeAll = async (): Promise<void> => {
    for (const symbol of MANY) await write(symbol);
  };
  const gaps = () => taken.filter(({ kind }) => kind === 'gap');
  return { stand, taken, gaps, recorder, write, writeAll, lines };
}

const recordsIn = (gaps: readonly JournalRecord[]): number =>
  gaps.reduce((sum, { body }) => sum + (body as GapBody).records, 0);

describe('records that a journal refuses', () => {
  it('cost two appends each at most, however many symbols have lost some', async () => {
    const { stand, recorder, writeAll } = world();
    await writeAll();
    stand.appends = 0;
    await writeAll();
    expect(stand.appends).to.be.at.most(2 * MANY.length);
    expect(recorder.lost()).to.equal(2 * MANY.length);
  });

  it('cost little while the journal takes one now and then, too', async () => {
    const { stand, writeAll, write } = world();
    await writeAll();
    stand.appends = 0;
    const writes = 1_000;
    for (let n = 0; n < writes; n += 1) {
      if (n % 5 === 0) stand.room = 1;
      await write(symbolOf(n % MANY.length));
    }
    expect(stand.appends).to.be.at.most(3 * writes);
  });

  it('are all told as soon as it takes records again, and their end once', async () => {
    const { stand, gaps, recorder, writeAll, write, lines } = world();
    await writeAll();
    stand.room = Number.POSITIVE_INFINITY;
    await write(null);
    expect(recorder.broken()).to.equal(false);
    expect(new Set(gaps().map(({ symbol }) => symbol))).to.deep.equal(new Set(MANY));
    expect(recordsIn(gaps())).to.equal(MANY.length);
    expect(stand.mended).to.equal(1);
    expect(lines.map(({ event }) => event)).to.deep.equal(['journal.failed', 'journal.mended']);
  });

  it('are told ahead of the next record of their symbol, each of them once', async () => {
    const step = fc.record({ n: fc.nat(4), room: fc.option(fc.nat(6), { nil: undefined }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const { stand, taken, gaps, recorder, write } = world();
        for (const { n, room } of steps) {
          if (room !== undefined) stand.room = room;
          const before = taken.length;
          await write(symbolOf(n));
          const now = taken.slice(before).filter(({ symbol }) => symbol === symbolOf(n));
          expect(now.findIndex(({ kind }) => kind === 'gap')).to.be.at.most(0);
        }
        stand.room = Number.POSITIVE_INFINITY;
        await write(null);
        expect(recorder.broken()).to.equal(false);
        expect(recordsIn(gaps())).to.equal(recorder.lost());
        expect(taken.length - gaps().length).to.equal(steps.length + 1 - recorder.lost());
      }),
    );
  });
});
