import { expect } from 'chai';
import {
  before,
  formatInstant,
  type Micros,
  millis,
  minuteOf,
  minutes,
  type SessionDay,
} from '../../lib/domain/time.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import { tapeOf } from '../traps/minutes.ts';
import { type Daemon, settingsFrom, startDaemon } from './daemon.ts';
import { SIGNAL_DIFFERENCES } from './differences.ts';
import { plainOptions } from './exchange-of.ts';
import { PARITY_FOLDER, TAPE_FOLDER, withFolders } from './shared-files.ts';
import { readBars, readSignals, type SignalDay, signalDays } from './signals.ts';

describe('parity: the daemon sees the crossings the published script saw', () => {
  withFolders([PARITY_FOLDER, TAPE_FOLDER], () => {
    for (const day of signalDays())
      it(`${day}: entry bars of the strategy, and an order or a reason for each`, async function () {
        this.timeout(60_000);
        const recorded = readSignals(day);
        const daemon = await playDay(recorded);
        const records = await daemon.journal().read(day);
        for (const [symbol, published] of recorded.signals) {
          const seen = signalsIn(records, symbol);
          const judged = seen.filter((startAt) => startAt < lastJudged(recorded));
          expect(judged.map(formatInstant), symbol).to.deep.equal(
            published.filter((startAt) => !isDeclared(day, symbol, startAt)).map(formatInstant),
          );
          expect(answersIn(daemon, symbol), `${symbol}: an order or a reason`).to.deep.equal(
            seen.map(formatInstant),
          );
        }
      });

    it('every declared difference is a bar on which the script entered', () => {
      for (const { day, symbol, bar } of SIGNAL_DIFFERENCES) {
        const published = readSignals(day as SessionDay).signals.get(symbol) ?? [];
        expect(published.map(formatInstant)).to.include(`${day}T${bar}:00.000000Z`);
      }
    });
  });
});

/** The script looks at no bar that arrives at 15:55 or later. */
const lastJudged = ({ session }: SignalDay): Micros => before(session.closeAt, minutes(6));

const isDeclared = (day: string, symbol: string, startAt: Micros): boolean =>
  SIGNAL_DIFFERENCES.some(
    (each) =>
      each.day === day &&
      each.symbol === symbol &&
      formatInstant(startAt).startsWith(`${day}T${each.bar}:00`),
  );

/** A whole day of every recorded symbol; no buy ever fills, so that every crossing finds the lane flat or waiting. */
async function playDay({ session, signals }: SignalDay): Promise<Daemon> {
  const symbols = [...signals.keys()];
  const exchange = createExchange(
    {
      ...plainOptions(session, before(session.openAt, minutes(5))),
      fillRules: [{ match: { side: 'buy' }, model: { kind: 'never' }, times: null }],
    },
    tapeOf(symbols.flatMap((symbol) => readBars(symbol, session))),
  );
  const settings = settingsFrom(
    ['symbols:', ...symbols.map((symbol) => `  - { symbol: ${symbol}, lot: 2000 }`)].join('\n'),
  );
  const daemon = startDaemon({
    exchange,
    // Watchdogs of threads and of losses decide nothing here, and cost most of the time.
    settings: {
      ...settings,
      supervisor: { ...settings.supervisor, pingEvery: minutes(10), stallAfter: minutes(20) },
      risk: { ...settings.risk, checkEvery: minutes(10) },
    },
    script: [],
    positionsLag: millis(0),
  });
  await daemon.until(session.closeAt);
  return daemon;
}

type BarRecord = {
  readonly event: {
    readonly kind: string;
    readonly signal?: string;
    readonly bar?: { readonly startAt: Micros };
  };
};

/** Bars on which the strategy of the symbol's lane said "enter", by the journal. */
function signalsIn(records: readonly StoredRecord[], of: string): readonly Micros[] {
  return records.flatMap(({ kind, symbol, body }) => {
    if (kind !== 'input' || symbol !== of) return [];
    const { event } = body as BarRecord;
    return event.kind === 'barClosed' && event.signal === 'enter' && event.bar !== undefined
      ? [event.bar.startAt]
      : [];
  });
}

/** Bars that were answered by a buy or by a refusal with its reason; both come within the minute after the bar. */
function answersIn({ decisions, log }: Daemon, of: string): readonly string[] {
  const buys = decisions
    .filter(({ symbol, side, act }) => symbol === of && side === 'buy' && act.kind === 'limit')
    .map(({ at }) => at);
  const refusals = log
    .filter(({ event, symbol }) => event === 'lane.entry.refused' && symbol === of)
    .map(({ at }) => at);
  return [...buys, ...refusals]
    .sort((a, b) => a - b)
    .map((at) => formatInstant(before(minuteOf(at), minutes(1))));
}
