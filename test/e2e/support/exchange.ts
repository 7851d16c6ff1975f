import { expect } from 'chai';
import type { LedgerView } from '../../../lib/app/exchange-thread.ts';
import type { SessionReport } from '../../../lib/engine/report.ts';
import { type Child, startScalpd } from './child.ts';

/** A `scalpd exchange` in its own process. */
export type Exchange = {
  readonly child: Child;
  readonly url: string;
  readonly symbols: readonly string[];
  /** What points any Alpaca client at it. */
  readonly env: Readonly<Record<string, string>>;
  /** Asks its REST as any client would. */
  get(path: string): Promise<unknown>;
  /** Ends it; the books are its farewell. */
  finish(): Promise<LedgerView>;
};

/** The exchange's own standard: an account begins with this. */
export const CASH_USD = 100_000;

export async function startExchange(cwd: string, args: readonly string[]): Promise<Exchange> {
  const child = startScalpd({ cwd, args: ['exchange', '--port', '0', '--json', ...args] });
  const { url, symbols } = JSON.parse(await child.line(() => true)) as { url: string; symbols: string[] };
  const headers = { 'APCA-API-KEY-ID': 'any', 'APCA-API-SECRET-KEY': 'any' };
  return {
    child,
    url,
    symbols,
    env: {
      APCA_API_BASE_URL: url,
      APCA_API_DATA_URL: url,
      APCA_API_STREAM_URL: url,
      APCA_API_KEY_ID: 'any',
      APCA_API_SECRET_KEY: 'any',
    },
    async get(path) {
      const answer = await fetch(`${url}${path}`, { headers });
      expect(answer.status, path).to.equal(200);
      return answer.json();
    },
    async finish() {
      child.signal('SIGINT');
      const { code, out, err } = await child.ended;
      expect(err).to.equal('');
      expect(code).to.equal(0);
      return JSON.parse(out.at(-1) ?? '') as LedgerView;
    },
  };
}

const HALF_A_CENT = 50;

/** Nothing held and nothing open by the exchange's own books. */
export function expectFlat(books: LedgerView): void {
  expect(books.openOrders).to.deep.equal([]);
  expect(books.positions.filter(({ shares }) => shares !== 0)).to.deep.equal([]);
}

/** The daemon's report and the exchange's books, which nobody compared before, tell the same to the cent. */
export function expectAgreement(report: SessionReport, books: LedgerView): void {
  expectFlat(books);
  expect(report.flat, report.open.join('\n')).to.equal(true);
  expect(report.discrepancies).to.deep.equal([]);
  // In 1/10000 USD: rounding two floats to cents calls -26.495 once -26.49 and once -26.50.
  const earned = books.cash - CASH_USD * 10_000;
  expect(Math.round(Number(report.netUsd) * 10_000)).to.be.closeTo(earned, HALF_A_CENT);
  expect(Math.round(Number(report.feesUsd) * 10_000)).to.be.closeTo(books.feesPaid, HALF_A_CENT);
}
