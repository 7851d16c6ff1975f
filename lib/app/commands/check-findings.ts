import type { Config } from '../../adapters/config/config.ts';
import type { Ticker } from '../../domain/ids.ts';
import type { Mark } from '../../domain/market.ts';
import { formatDecimal } from '../../domain/money.ts';
import type { Micros } from '../../domain/time.ts';
import type { BrokerAccount, BrokerAsset, BrokerClock, BrokerFailure, Read } from '../../ports/broker.ts';

/** `wrong` is for the user to mend; `unreachable` means not connected or not authorized. */
export type Verdict = 'ok' | 'warning' | 'wrong' | 'unreachable';

export type Finding = {
  readonly subject: string;
  /** Stable. */
  readonly code: string;
  readonly verdict: Verdict;
  readonly text: string;
};

const DRIFT_MAX_MICROS = 1_000_000;
/** Symbols a data connection may subscribe on the free plan. */
const IEX_SYMBOLS_MAX = 30;

export function judgeAccount(read: Read<BrokerAccount>): readonly Finding[] {
  if (read.kind === 'failed') return [unanswered('account', read.failure)];
  const { active, blocks, equity, buyingPower } = read.value;
  const subject = 'account';
  if (!active)
    return [
      { subject, code: 'account.inactive', verdict: 'unreachable', text: 'the account must be active' },
    ];
  if (blocks.length > 0) {
    const text = `the account must be free to trade; it is not: ${blocks.join(', ')}`;
    return [{ subject, code: 'account.blocked', verdict: 'unreachable', text }];
  }
  const text = `active, equity ${formatDecimal(equity)} USD, buying power ${formatDecimal(buyingPower)} USD`;
  return [{ subject, code: 'account.active', verdict: 'ok', text }];
}

export function judgeClock(read: Read<BrokerClock>, wall: Micros): readonly Finding[] {
  if (read.kind === 'failed') return [unanswered('clock', read.failure)];
  const { at, speed } = read.value;
  const subject = 'clock';
  if (speed !== null) {
    const text = `the exchange keeps its own time, ${speed} times as fast as the wall clock`;
    return [{ subject, code: 'clock.simulated', verdict: 'ok', text }];
  }
  const drift = (wall - at) / 1_000_000;
  if (Math.abs(wall - at) <= DRIFT_MAX_MICROS)
    return [
      { subject, code: 'clock.agrees', verdict: 'ok', text: `${drift.toFixed(3)} s from the broker's` },
    ];
  const text = `this machine's clock should be within 1 s of the broker's; it is ${drift.toFixed(3)} s away`;
  return [{ subject, code: 'clock.drift', verdict: 'warning', text }];
}

export function judgeSymbols(
  read: Read<readonly BrokerAsset[]>,
  symbols: readonly Ticker[],
  feed: Config['feed'],
): readonly Finding[] {
  if (read.kind === 'failed') return [unanswered('symbols', read.failure)];
  const known = new Map(read.value.map((asset) => [asset.symbol, asset]));
  const barred = symbols.filter(
    (symbol) => !(known.get(symbol)?.tradable === true && known.get(symbol)?.active),
  );
  const subject = 'symbols';
  const findings: Finding[] = barred.map((symbol) => ({
    subject,
    code: 'symbol.notTradable',
    verdict: 'wrong',
    text: `${symbol} must be tradable at the broker`,
  }));
  if (feed === 'iex' && symbols.length > IEX_SYMBOLS_MAX) {
    const text = `the free data plan takes ${IEX_SYMBOLS_MAX} symbols; the configuration has ${symbols.length}`;
    findings.push({ subject, code: 'symbols.tooMany', verdict: 'warning', text });
  }
  if (findings.length > 0) return findings;
  return [
    {
      subject,
      code: 'symbols.tradable',
      verdict: 'ok',
      text: `${symbols.length} of ${symbols.length} tradable`,
    },
  ];
}

export function judgeLots(
  read: Read<ReadonlyMap<Ticker, Mark>>,
  config: Config,
  placeOf: (index: number) => string,
): readonly Finding[] {
  const subject = 'lots';
  if (read.kind === 'failed') {
    const finding = unanswered('data', read.failure);
    if (read.failure.code !== 'unauthorized') return [finding];
    const text = `the account's data plan must include the feed ${config.feed}: ${finding.text}`;
    return [{ ...finding, code: 'data.notEntitled', text }];
  }
  const findings = config.symbols.flatMap(({ symbol, lot }, index): readonly Finding[] => {
    const mark = read.value.get(symbol);
    if (mark === undefined) {
      const text = `${symbol}: no last trade to judge the lot by`;
      return [{ subject, code: 'lot.unknown', verdict: 'warning', text }];
    }
    if (lot >= mark.price) return [];
    const [dollars, price] = [formatDecimal(lot), formatDecimal(mark.price)];
    const text = `${placeOf(index)} ${symbol}: a lot must buy at least one share at ${price}; it is ${dollars}`;
    return [{ subject, code: 'lot.zeroShares', verdict: 'wrong', text }];
  });
  if (findings.length > 0) return findings;
  return [
    {
      subject,
      code: 'lots.sufficient',
      verdict: 'ok',
      text: 'each buys at least one share at the last trade',
    },
  ];
}

const unanswered = (subject: string, failure: BrokerFailure): Finding => ({
  subject,
  code: `${subject}.${failure.code}`,
  verdict: 'unreachable',
  text: failure.text,
});
