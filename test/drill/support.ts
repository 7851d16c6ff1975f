import type { DaemonEnd } from '../../lib/app/drills/daemon-process.ts';
import type { Drill } from '../../lib/app/drills/drill.ts';
import type { Foreign, JudgedOrder } from '../../lib/app/drills/judge.ts';
import type { Evidence } from '../../lib/app/drills/verdict.ts';
import type { FullBooks } from '../../lib/app/exchange-thread.ts';
import type { BrokerOrderId, ExecutionId, Ticker } from '../../lib/domain/ids.ts';
import type { Cash, Price } from '../../lib/domain/money.ts';
import { type Micros, parseInstant } from '../../lib/domain/time.ts';
import type { Certificate, SymbolCertificate } from '../../lib/engine/certificate-types.ts';
import type { SessionReport } from '../../lib/engine/report.ts';
import type { SimFill } from '../../lib/sim/exchange-api.ts';

/** A small account history that holds every rule, to be spoiled piece by piece. */

export const SPY = 'SPY' as Ticker;
export const NOBODY: Foreign = new Map();
const TEN = parseInstant('2026-10-05T14:00:00Z') as Micros;
export const CLOSE_AT = parseInstant('2026-10-05T20:00:00Z') as Micros;
/** Seconds after ten o'clock. */
export const at = (second: number): Micros => (TEN + second * 1_000_000) as Micros;

export const fill = (side: 'buy' | 'sell', qty: number, second: number): SimFill => ({
  executionId: `${side}-${second}` as ExecutionId,
  orderId: `order-${second}` as BrokerOrderId,
  clientOrderId: `scalpd-20261005-SPY-${second}-0`,
  symbol: SPY,
  side,
  type: 'fill',
  qty,
  price: 1_000_000 as Price,
  cumQty: qty,
  leavesQty: 0,
  fees: 0 as Cash,
  at: at(second),
});

export const order = ({
  id = '1-0',
  from = 1,
  until = from + 1,
  side = 'buy',
}: {
  readonly id?: string;
  readonly from?: number;
  readonly until?: number | null;
  readonly side?: 'buy' | 'sell';
}): JudgedOrder => ({
  clientOrderId: `scalpd-20261005-SPY-${id}`,
  symbol: SPY,
  side,
  rejected: false,
  from: at(from),
  until: until === null ? null : at(until),
});

export const booksOf = (spoiled: Partial<FullBooks>): FullBooks => ({
  at: at(100),
  positions: [],
  openOrders: [],
  cash: 1_000_000 as Cash,
  feesPaid: 0 as Cash,
  equity: 1_000_000 as Cash,
  orders: 2,
  fills: 2,
  history: [],
  executions: [fill('buy', 10, 1), fill('sell', 10, 2)],
  hits: { updateDrop: 1 },
  requestPeak: 12,
  ...spoiled,
});

export const certificateOf = (symbols: readonly Partial<SymbolCertificate>[]): Certificate => {
  const all = symbols.map((each) => ({ symbol: SPY, flat: true, evidence: [], unproven: [], ...each }));
  return { symbols: all, flat: all.every(({ flat }) => flat) } as unknown as Certificate;
};

const REPORT = { flat: true, netUsd: '0.00', symbols: [] } as unknown as SessionReport;
export const END: DaemonEnd = { result: { code: 0, text: 'flat', report: REPORT }, code: 0, signal: null };

export const DRILL: Drill = {
  name: 'an-example',
  life: 'something goes wrong',
  holds: ['entriesStop'],
  faults: ['updateDrop'],
  needs: ['shares held'],
  marks: ['noticed'],
  scene: 'trading',
  rules: () => [],
  script: () => [],
  play: async () => undefined,
};

export const evidenceOf = (spoiled: Partial<Evidence>): Evidence => ({
  before: booksOf({}),
  after: booksOf({}),
  closeAt: CLOSE_AT,
  requestsPerMinute: 200,
  lines: [],
  marks: new Set(['shares held', 'noticed']),
  silences: [],
  certificate: certificateOf([{}]),
  ends: [END],
  stopped: null,
  ...spoiled,
});
