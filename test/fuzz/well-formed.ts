import type { ExecutionReport } from '../../lib/domain/execution.ts';
import type { Bar } from '../../lib/domain/market.ts';
import type { FeedStatus, MarketMessage } from '../../lib/ports/feeds.ts';

/** What a decoder promises of whatever it lets through; `null` when it holds, else what does not. */

const isWhole = (value: unknown, min: number): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min;
const isCount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

function firstWrong(checks: Readonly<Record<string, boolean>>): string | null {
  for (const name in checks) if (checks[name] === false) return name;
  return null;
}

export function wrongInMessage(message: MarketMessage): string | null {
  switch (message.kind) {
    case 'print': {
      const { symbol, at, price, size, conditions, exchange } = message.print;
      return firstWrong({
        symbol: isText(symbol),
        at: isWhole(at, 1),
        price: isWhole(price, 1),
        size: isCount(size),
        exchange: typeof exchange === 'string',
        conditions: conditions.every((condition) => typeof condition === 'string'),
      });
    }
    case 'quote': {
      const { symbol, at, bid, ask, bidSize, askSize } = message.quote;
      return firstWrong({
        symbol: isText(symbol),
        at: isWhole(at, 1),
        prices: isWhole(bid, 0) && isWhole(ask, 0),
        sizes: isCount(bidSize) && isCount(askSize),
      });
    }
    case 'bar':
    case 'updatedBar':
      return wrongInBar(message.bar);
    case 'status': {
      const { symbol, at, state, code, reason } = message.status;
      return firstWrong({
        symbol: isText(symbol),
        at: isWhole(at, 1),
        state: state === 'trading' || state === 'halted',
        texts: typeof code === 'string' && typeof reason === 'string',
      });
    }
    case 'luld': {
      const { symbol, at, up, down } = message.band;
      return firstWrong({
        symbol: isText(symbol),
        at: isWhole(at, 1),
        bands: isWhole(up, 1) && isWhole(down, 1),
      });
    }
    default:
      return 'kind';
  }
}

function wrongInBar({
  symbol,
  startAt,
  open,
  high,
  low,
  close,
  vwap,
  volume,
  tradeCount,
}: Bar): string | null {
  return firstWrong({
    symbol: isText(symbol),
    startAt: isWhole(startAt, 1),
    prices: [open, high, low, close].every((price) => isWhole(price, 1)) && isWhole(vwap, 0),
    counts: isCount(volume) && isCount(tradeCount),
  });
}

export function wrongInReport(report: ExecutionReport): string | null {
  const { fill, side } = report;
  return firstWrong({
    ids: isText(report.clientOrderId) && isText(report.brokerOrderId) && isText(report.symbol),
    side: side === 'buy' || side === 'sell',
    orderQty: isWhole(report.orderQty, 0),
    cum: isWhole(report.cumQty, 0) && isWhole(report.cumNotional, 0),
    at: isWhole(report.occurredAt, 1) && isWhole(report.receivedAt, 1),
    fill: fill === null || (isText(fill.executionId) && isWhole(fill.lastQty, 1) && isWhole(fill.lastPx, 1)),
    replacedBy: report.replacedBy === null || isText(report.replacedBy),
  });
}

export const wrongInStatus = (status: FeedStatus): string | null =>
  firstWrong({
    detail: typeof status.detail === 'string' && status.detail.length < 1_000,
    missing: (status.missing ?? []).every((symbol) => typeof symbol === 'string'),
  });
