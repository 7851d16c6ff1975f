import type { Ticker } from '../../domain/ids.ts';
import type { Cash } from '../../domain/money.ts';
import { listOf, named, type ReadBy, required, section, setting } from './readers.ts';
import {
  day,
  decimal,
  duration,
  oneOf,
  path,
  pathOrAuto,
  percent,
  perShare,
  ticker,
  timeOfDay,
  usd,
  whole,
  wholeOrAuto,
} from './units.ts';

/**
 * Every setting of `config/scalpd.yaml`, with its unit and its default. What is not written here is not a setting.
 * The commented file itself is where users read about them.
 */
export const settings = section({
  account: section({ mode: setting(oneOf('embedded', 'paper', 'live'), 'embedded') }),
  symbols: listOf(
    section({ symbol: required(ticker), lot: required(usd(1, 10_000_000)) }),
    'a list of { symbol, lot }',
  ),
  feed: setting(oneOf('iex', 'sip'), 'iex'),
  strategy: named('sma-cross'),
  entry: section({
    patience: setting(duration('1s', '1h'), '120s'),
    lastTradeMaxAge: setting(duration('1s', '10m'), '15s'),
  }),
  exit: section({
    markup: setting(perShare(0, 1_000), '0.00'),
    holdMax: setting(duration('1s', '6h'), '120s'),
    retryFirst: setting(duration('100ms', '1m'), '1s'),
    retryMax: setting(duration('100ms', '10m'), '30s'),
    cancelRetry: setting(duration('500ms', '1m'), '5s'),
  }),
  session: section({ flattenBeforeClose: setting(duration('10s', '6h'), '5m') }),
  gateway: section({
    requestsPerMinute: setting(whole(10, 10_000), '200'),
    exitReserve: setting(percent(0, 90), '20%'),
    entryLife: setting(duration('100ms', '1m'), '5s'),
  }),
  risk: section({
    orderQtyMax: setting(whole(1, 1_000_000), '10000'),
    orderNotionalMax: setting(usd(1, 100_000_000), '25000'),
    priceCollar: setting(percent(0.01, 50), '1%'),
    grossExposureMax: setting(usd(1, 1_000_000_000), '50000'),
    entriesMax: setting(whole(1, 10_000), '100'),
    lossesMax: setting(whole(1, 1_000), '5'),
    coolOff: setting(duration('1s', '6h'), '15m'),
    dailyLossMax: setting(usd(1, 100_000_000), '500'),
    killFile: setting(pathOrAuto, 'auto'),
  }),
  lanes: section({ maxThreads: setting(wholeOrAuto(1, 1_000), 'auto') }),
  clock: section({ speed: setting(decimal(0.01, 10_000), '1') }),
  log: section({
    level: setting(oneOf('debug', 'info', 'warn', 'error'), 'info'),
    dir: setting(path, 'logs'),
    fileSizeMaxMb: setting(whole(1, 10_000), '20'),
    filesMax: setting(whole(1, 1_000), '10'),
  }),
  journal: section({ path: setting(path, 'data/scalpd.db') }),
  reports: section({ dir: setting(path, 'reports') }),
  shutdown: setting(oneOf('flatten', 'hold'), 'flatten'),
  exchange: section({
    seed: setting(whole(0, 4_294_967_295), '1'),
    speed: setting(decimal(0.01, 10_000), '60'),
    day: setting(day, '2026-10-05'),
    start: setting(timeOfDay('09:30', '15:45'), '10:30'),
    cash: setting(usd(100, 1_000_000_000), '100000'),
    tape: listOf(required(path), 'a list of tape files or folders'),
  }),
});

type Settings = ReadBy<typeof settings>;

/** What one lane trades and with how much. */
export type SymbolSetting = { readonly symbol: Ticker; readonly lot: Cash };

/** A configuration in which every rule holds. Durations in microseconds, money in 1/10000 USD, shares as fractions. */
export type Config = Omit<Settings, 'symbols' | 'exchange'> & {
  readonly symbols: readonly SymbolSetting[];
  readonly exchange: Omit<Settings['exchange'], 'tape'> & { readonly tape: readonly string[] };
};
