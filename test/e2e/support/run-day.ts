import { expect } from 'chai';
import type { LedgerView } from '../../../lib/app/exchange-thread.ts';
import type { SessionReport } from '../../../lib/engine/report.ts';
import { scratch } from '../../support/scratch.ts';
import { runScalpd } from './child.ts';
import { startExchange } from './exchange.ts';

export type Day = {
  /** Where the daemon ran: its log and journal are there. */
  readonly cwd: string;
  readonly report: SessionReport;
  readonly books: LedgerView;
};

/** A daemon for one session, which knows its exchange by the environment alone, against an exchange of its own process. */
export async function runDay(exchangeArgs: readonly string[]): Promise<Day> {
  const exchange = await startExchange(scratch(), exchangeArgs);
  const cwd = scratch();
  const { code, out, err } = await runScalpd({
    cwd,
    args: ['run', ...exchange.symbols, '--lot', '2000', '--once', '--json'],
    env: exchange.env,
  });
  const books = await exchange.finish();
  expect(code, `${err}\n${out.join('\n')}`).to.equal(0);
  return { cwd, books, report: JSON.parse(out.join('\n')) as SessionReport };
}
