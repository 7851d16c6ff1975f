import type { Ticker } from '../../lib/domain/ids.ts';
import type { EndReport } from '../../lib/engine/engine-types.ts';
import { startEngine } from '../parts/exit-engine.ts';
import { inTime } from './in-time.ts';
import type { Death } from './mortal.ts';
import { type Books, openStand, type Stand } from './stand.ts';

/** What one way of dying came to, over all its deaths. Times are milliseconds of the wall. */
export type Outcome = {
  readonly death: Death;
  /** From the instant of the death until the exit of the shares was at the exchange. */
  readonly exitMs: readonly number[];
  /** By what code each death was noticed. */
  readonly codes: readonly string[];
  /** From the fill until the exit was at the exchange, for all other lanes: while one dies, and in quiet minutes between. */
  readonly othersMs: readonly number[];
  readonly quietMs: readonly number[];
};

export type Measured = Outcome & {
  readonly report: EndReport;
  readonly books: Books;
};

export type MeasurePlan = {
  readonly death: Death;
  /** Up to `TIMES_PER_DAY`. */
  readonly times: number;
  readonly lanes: number;
  /** Exchange seconds per wall second. What finds a hanging thread runs in wall time whatever it is. */
  readonly speed: number;
  /** A round trip that takes longer than this on the wall will not come any more. */
  readonly patienceMs: number;
};

/** More deaths than this may not fit into the session: each takes some ten minutes of it at the usual speed. */
export const TIMES_PER_DAY = 25;

/** Real lanes, real sockets, real journal: one way of dying so many times, a different lane each time. */
export async function measureDeath(plan: MeasurePlan): Promise<Measured> {
  const { death, times, lanes, speed, patienceMs } = plan;
  const stand = await openStand(lanes, speed);
  try {
    const stop = await startEngine(stand.url, stand.symbols, speed, {
      strategy: stand.strategy,
      onLine: (event, fields) =>
        stand.heard({
          kind: 'line',
          event,
          symbol: fields.symbol === undefined ? null : String(fields.symbol),
          fields,
        }),
    });
    const rounds: Round[] = [];
    const quiet: Round[] = [];
    for (let time = 0; time < times; time += 1) {
      // Who died last is the last to die again, or it would be lost too often to get a thread.
      const victim = stand.symbols[time % stand.symbols.length] ?? null;
      const dying = playRound(stand, victim, death);
      rounds.push(await inTime(patienceMs, `after ${death} in ${victim}`, dying, stand.describe));
      quiet.push(await inTime(patienceMs, 'in quiet', playRound(stand, null, death), stand.describe));
    }
    const report = await stop();
    return {
      death,
      exitMs: rounds.flatMap(({ exitMs }) => (exitMs === null ? [] : [exitMs])),
      codes: rounds.flatMap(({ code }) => (code === null ? [] : [code])),
      othersMs: rounds.flatMap(({ othersMs }) => othersMs),
      quietMs: quiet.flatMap(({ othersMs }) => othersMs),
      report,
      books: await stand.books(),
    };
  } finally {
    await stand.close();
  }
}

type Round = {
  readonly exitMs: number | null;
  readonly code: string | null;
  readonly othersMs: readonly number[];
};

/**
 * From the moment in which every lane holds a part until every lane has sold. The victim's exit may have left before it
 * died, when the machine was slow to bring it the bar: then the death had nothing to delay, and the round is played again.
 */
async function playRound(stand: Stand, victim: Ticker | null, death: Death): Promise<Round> {
  for (;;) {
    await stand.until(() => stand.symbols.every((symbol) => stand.phaseOf(symbol) === 'part'));
    const from = stand.happenings.length;
    if (victim !== null) stand.condemn(victim, death);
    await stand.until(() => stand.symbols.every((symbol) => tripOf(stand, symbol, from) !== null));
    await stand.until(() => victim === null || lossOf(stand, victim, from) !== null);
    const others = stand.symbols.filter((symbol) => symbol !== victim);
    const othersMs = others.flatMap((symbol) => {
      const trip = tripOf(stand, symbol, from);
      return trip === null ? [] : [trip.soldAt - trip.filledAt];
    });
    if (victim === null) return { exitMs: null, code: null, othersMs };
    const exitMs = (tripOf(stand, victim, from)?.soldAt ?? 0) - stand.diedAt(victim);
    if (exitMs > 0) return { exitMs, code: lossOf(stand, victim, from), othersMs };
  }
}

/** When the entry was complete and when the exit was there; `null` before that. */
function tripOf(
  stand: Stand,
  symbol: Ticker,
  from: number,
): { readonly filledAt: number; readonly soldAt: number } | null {
  let filledAt: number | null = null;
  for (const each of stand.happenings.slice(from)) {
    if (each.kind === 'line' || each.symbol !== symbol) continue;
    if (each.kind === 'filled' && each.side === 'buy') filledAt = each.at;
    else if (each.kind === 'order' && each.side === 'sell' && filledAt !== null)
      return { filledAt, soldAt: each.at };
  }
  return null;
}

function lossOf(stand: Stand, symbol: Ticker, from: number): string | null {
  for (const each of stand.happenings.slice(from))
    if (each.kind === 'line' && each.event === 'lane.lost' && each.symbol === symbol)
      return String(each.fields.code);
  return null;
}
