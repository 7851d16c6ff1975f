import { expect } from 'chai';
import { parseConfig } from '../../lib/adapters/config/load.ts';
import {
  type Finding,
  judgeAccount,
  judgeClock,
  judgeLots,
  judgeSymbols,
} from '../../lib/app/commands/check-findings.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { cash, price } from '../../lib/domain/money.ts';
import { micros } from '../../lib/domain/time.ts';
import type { BrokerFailure, Read } from '../../lib/ports/broker.ts';

const failure = (code: BrokerFailure['code']): Read<never> => ({
  kind: 'failed',
  failure: { code, text: `the broker said ${code}`, httpStatus: null, requestId: null, retryAt: null },
});
const ok = <T>(value: T): Read<T> => ({ kind: 'ok', value });
const short = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ verdict, code }) => `${verdict} ${code}`);
const SPY = 'SPY' as Ticker;
const KO = 'KO' as Ticker;
const ACCOUNT = { id: 'a', active: true, blocks: [], cash: cash(1), equity: cash(1), buyingPower: cash(1) };

describe('what scalpd check finds', () => {
  it('an account that is blocked, inactive, or not ours to read', () => {
    expect(short(judgeAccount(ok(ACCOUNT)))).to.deep.equal(['ok account.active']);
    expect(short(judgeAccount(ok({ ...ACCOUNT, active: false })))).to.deep.equal([
      'unreachable account.inactive',
    ]);
    const [blocked] = judgeAccount(ok({ ...ACCOUNT, blocks: ['trading_blocked'] }));
    expect(blocked).to.include({ code: 'account.blocked', verdict: 'unreachable' });
    expect(blocked?.text).to.include('trading_blocked');
    expect(short(judgeAccount(failure('unauthorized')))).to.deep.equal(['unreachable account.unauthorized']);
  });

  it('a clock that has drifted, either way', () => {
    const at = micros(1_790_000_000_000_000);
    const clock = { at, isOpen: true, nextOpenAt: at, nextCloseAt: at, speed: null };
    expect(short(judgeClock(ok(clock), micros(at + 900_000)))).to.deep.equal(['ok clock.agrees']);
    for (const away of [1_100_000, -1_100_000])
      expect(short(judgeClock(ok(clock), micros(at + away)))).to.deep.equal(['warning clock.drift']);
    expect(short(judgeClock(ok({ ...clock, speed: 60 }), micros(0)))).to.deep.equal(['ok clock.simulated']);
  });

  it('symbols that cannot be traded, and more than the free plan takes', () => {
    const asset = (symbol: Ticker, tradable: boolean) => ({ symbol, tradable, active: true });
    expect(short(judgeSymbols(ok([asset(SPY, true), asset(KO, false)]), [SPY, KO], 'iex'))).to.deep.equal([
      'wrong symbol.notTradable',
    ]);
    expect(short(judgeSymbols(ok([asset(SPY, true)]), [SPY, KO], 'iex'))).to.deep.equal([
      'wrong symbol.notTradable',
    ]);
    const many = Array.from({ length: 31 }, (_, n) => `S${n}` as Ticker);
    const all = ok(many.map((symbol) => asset(symbol, true)));
    expect(short(judgeSymbols(all, many, 'iex'))).to.deep.equal(['warning symbols.tooMany']);
    expect(short(judgeSymbols(all, many, 'sip'))).to.deep.equal(['ok symbols.tradable']);
  });

  it('lots below the price of a share, with their place in the file', () => {
    const load = parseConfig(
      'a.yaml',
      new TextEncoder().encode('symbols: [{ symbol: SPY, lot: 500 }, { symbol: KO, lot: 60 }]'),
    );
    if (!load.ok) throw new Error('valid');
    const at = micros(0);
    const marks = new Map([
      [SPY, { price: price(6_000_000), at }],
      [KO, { price: price(600_000), at }],
    ]);
    const judge = (read: Parameters<typeof judgeLots>[0]) =>
      judgeLots(read, load.config, (index) => `a.yaml:${load.places.get(`symbols[${index}].lot`)?.line}`);
    const [wrong, ...rest] = judge(ok(marks));
    expect(rest).to.deep.equal([]);
    expect(wrong).to.include({ code: 'lot.zeroShares', verdict: 'wrong' });
    expect(wrong?.text).to.equal('a.yaml:1 SPY: a lot must buy at least one share at 600.00; it is 500.00');
    expect(short(judge(ok(new Map([[SPY, { price: price(1), at }]]))))).to.deep.equal([
      'warning lot.unknown',
    ]);
    expect(short(judge(failure('unauthorized')))).to.deep.equal(['unreachable data.notEntitled']);
    expect(short(judge(failure('timeout')))).to.deep.equal(['unreachable data.timeout']);
  });
});
