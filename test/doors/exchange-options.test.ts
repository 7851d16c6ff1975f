import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type BuiltExchange, buildExchange, type ExchangeFacts } from '../../lib/app/exchange-options.ts';
import { formatInstant } from '../../lib/domain/time.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { TapeItem } from '../../lib/sim/exchange-api.ts';

const SYNTHETIC: ExchangeFacts = { tapePaths: [], seed: 1, symbols: ['SPY', 'AAPL'], printsPerDay: 400 };

type Good = Extract<BuiltExchange, { ok: true }>;
async function built(facts: ExchangeFacts): Promise<Good> {
  const found = await buildExchange(facts);
  if (!found.ok) throw new Error(found.mistakes.join('\n'));
  return found;
}
async function mistakesOf(facts: ExchangeFacts): Promise<readonly string[]> {
  const found = await buildExchange(facts);
  return found.ok ? [] : found.mistakes;
}

describe('exchange from a command line', () => {
  it('a synthetic market starts a minute and a half before the open, the same for the same seed', async () => {
    const one = await built(SYNTHETIC);
    const two = await built(SYNTHETIC);
    expect(formatInstant(one.options.startAt)).to.equal('2026-10-05T13:28:30.000000Z');
    expect(one.symbols).to.have.members(['SPY', 'AAPL']);
    expect(one.sessions.map((session) => session.day)).to.deep.equal(['2026-10-05']);
    const first = (tape: Good['tape']): (TapeItem | null)[] => Array.from({ length: 500 }, () => tape.take());
    expect(first(one.tape)).to.deep.equal(first(two.tape));
    const other = await built({ ...SYNTHETIC, seed: 2 });
    expect(first(other.tape)).not.to.deep.equal(first((await built(SYNTHETIC)).tape));
  });

  it('keeps as much history of thousands of symbols together as of a few dozens', async () => {
    const keptOf = async (symbolCount: number) =>
      (await built({ tapePaths: [], seed: 1, symbolCount })).options.historyPerSymbol;
    expect(await keptOf(2)).to.equal(20_000);
    expect(await keptOf(50)).to.equal(20_000);
    expect(await keptOf(1_000)).to.equal(1_000);
    expect(
      (await built({ ...SYNTHETIC, overrides: { historyPerSymbol: 7 } })).options.historyPerSymbol,
    ).to.equal(7);
  });

  it('invents as many symbols as asked, over several days, skipping weekends', async () => {
    const { symbols, sessions, options } = await built({
      tapePaths: [],
      seed: 1,
      symbolCount: 7,
      days: 3,
      day: '2026-10-08',
      cashUsd: 2_500.5,
    });
    expect(symbols).to.have.length(7);
    expect(sessions.map((session) => session.day)).to.deep.equal(['2026-10-08', '2026-10-09', '2026-10-12']);
    expect(options.account.cash).to.equal(25_005_000);
    expect(options.sessions.some((session) => session.day < '2026-10-08')).to.equal(true);
    expect(options.sessions.some((session) => session.day > '2026-10-20')).to.equal(true);
  });

  it('starts in mid-session with the morning behind it', async () => {
    const { options, tape } = await built({ ...SYNTHETIC, startAt: '11:00', printsPerDay: 4_000 });
    const exchange = createExchange(options, tape);
    const [session] = exchange.calendar('2026-10-05' as never, '2026-10-05' as never);
    const bars = exchange.bars('SPY' as never, session?.openAt as never, exchange.now());
    expect(bars.length).to.be.within(80, 90);
    expect(exchange.clock().isOpen).to.equal(true);
    expect(exchange.latestPrint('SPY' as never)).not.to.equal(null);
  });

  it('plays recorded days in order; days weeks apart are refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'days-'));
    const put = (day: string): Promise<void> =>
      writeFile(
        join(folder, `ABC_${day}.bars.ndjson`),
        `${JSON.stringify({ T: 'b', S: 'ABC', o: 10, h: 10, l: 10, c: 10, v: 900, t: `${day}T13:30:00Z` })}\n`,
      );
    try {
      await put('2013-10-07');
      await put('2013-10-10');
      const facts = { tapePaths: [folder], seed: 1 };
      const { sessions, options } = await built(facts);
      expect(sessions.map((session) => session.day)).to.deep.equal(['2013-10-07', '2013-10-10']);
      expect(options.fees.secPerMillionUsd, 'the fees of that year').to.equal(17.4);
      expect((await built({ ...facts, day: '2013-10-10' })).sessions).to.have.length(1);
      await put('2014-06-05');
      expect((await mistakesOf(facts))[0]).to.match(
        /within 7 days; name one.*2013-10-07, 2013-10-10, 2014-06-05/,
      );
      await put('2013-10-05');
      expect((await mistakesOf({ ...facts, day: '2013-10-05' }))[0]).to.match(
        /trading day. Found: 2013-10-05/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('names every wrong fact at once', async () => {
    const mistakes = await mistakesOf({
      tapePaths: [],
      seed: 1.5,
      startAt: '9:30',
      day: '2013-02-30',
      days: 1_000,
      symbolCount: 6_000,
      cashUsd: -1,
      symbols: ['spy'],
    });
    expect(mistakes).to.have.length(7);
    expect(mistakes.join('\n')).to.include('HH:MM in New York. Found: 9:30');
    expect((await mistakesOf({ tapePaths: ['/nope'], seed: 1 }))[0]).to.equal(
      '/nope: a tape is a file or a folder that exists. Found: ENOENT',
    );
    expect((await mistakesOf({ tapePaths: [], seed: 1, day: '1999-01-04' }))[0]).to.include('from 2004 on');
  });
});
