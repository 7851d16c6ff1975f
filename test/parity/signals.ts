import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { instantOf } from '../../lib/adapters/time/calendar.ts';
import type { Session } from '../../lib/domain/session.ts';
import { isSessionBar } from '../../lib/domain/session.ts';
import { after, type Micros, type SessionDay, seconds } from '../../lib/domain/time.ts';
import type { TapeItem } from '../../lib/sim/exchange-api.ts';
import { printAt } from '../traps/minutes.ts';
import { instant } from './scenario.ts';
import { PARITY_FOLDER, readJson, readLines, TAPE_FOLDER } from './shared-files.ts';
import { readTapeLine } from './tape-line.ts';

/** The bars on which the published script entered on one recorded day, by symbol; the script stops at 15:55. */
export type SignalDay = {
  readonly session: Session;
  readonly signals: ReadonlyMap<string, readonly Micros[]>;
};

export function signalDays(): readonly SessionDay[] {
  return readdirSync(PARITY_FOLDER)
    .map((file) => /^signals-(\d{4}-\d\d-\d\d)\.json$/.exec(file)?.[1])
    .filter((day) => day !== undefined)
    .sort() as SessionDay[];
}

export function readSignals(day: SessionDay): SignalDay {
  const raw = readJson(join(PARITY_FOLDER, `signals-${day}.json`)) as Record<
    string,
    { readonly t: string }[]
  >;
  return {
    session: {
      day,
      openAt: instantOf(day, '09:30'),
      closeAt: instantOf(day, '16:00'),
      halfDay: false,
    },
    signals: new Map(Object.entries(raw).map(([symbol, rows]) => [symbol, rows.map(({ t }) => instant(t))])),
  };
}

/** The day's recorded bars of one symbol, regular session only, each with a print at its close five seconds before its end. */
export function readBars(symbol: string, session: Session): readonly TapeItem[] {
  return readLines(join(TAPE_FOLDER, `${symbol}_${session.day}.bars.ndjson.gz`))
    .map(readTapeLine)
    .flatMap((item) =>
      item.kind === 'bar' && isSessionBar(session, item.bar.startAt)
        ? [printAt(item.bar.symbol, after(item.bar.startAt, seconds(55)), item.bar.close), item]
        : [],
    );
}
