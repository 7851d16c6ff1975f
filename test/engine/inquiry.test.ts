import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { before, after as later, minutes, seconds } from '../../lib/domain/time.ts';
import { barPagesOf } from '../../lib/engine/inquiry.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { sessionOf, startDay } from './simulated-day.ts';

const SHORT = sessionOf('09:30', '10:30');
const START = before(SHORT.openAt, minutes(5));
const NAMES = ['SPY', 'BAC', 'F', 'KO', 'T', 'XOM'] as Ticker[];

/** Whether so many lanes get ready before a budget of so many requests has come back once. */
async function isReadyAtOnce(symbols: number, requestsPerMinute: number): Promise<boolean> {
  const gateway = { ...DEFAULT_ENGINE_SETTINGS.gateway, requestsPerMinute, exitReserve: 0 };
  const options = { seed: 3, session: SHORT, symbols: NAMES.slice(0, symbols), settings: { gateway } };
  const day = await startDay({ ...options, startAt: START });
  const ready = day.log.find(({ event }) => event === 'engine.ready');
  return ready !== undefined && ready.at < later(START, seconds(60));
}

/** The smallest budget that a start does not exhaust. */
async function budgetFor(symbols: number): Promise<number> {
  for (let requests = 1; requests < 40; requests += 1)
    if (await isReadyAtOnce(symbols, requests)) return requests;
  throw new Error('a start takes fewer than 40 requests');
}

describe('the cost of questions', () => {
  it('of a start grows by one request for each asset, up to five: more are read as one list', async () => {
    const one = await budgetFor(1);
    expect((await budgetFor(5)) - one).to.equal(4);
    expect((await budgetFor(6)) - one).to.equal(0);
  });

  it('about bars is a request for each page of ten thousand, over all symbols', () => {
    const pages = (
      [
        [1, 0],
        [1, 390],
        [200, 50],
        [200, 51],
        [200, 390],
      ] as const
    ).map(([symbols, span]) => barPagesOf(symbols, span));
    expect(pages).to.deep.equal([1, 1, 1, 2, 8]);
  });
});
