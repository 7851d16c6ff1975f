import { expect } from 'chai';
import type { Micros } from '../../lib/domain/time.ts';
import {
  CONNECT_FAULTS,
  type FaultPlan,
  FRAME_FAULTS,
  NO_FAULTS,
  REST_FAULTS,
} from '../../lib/sim/fault-types.ts';
import { createFaults, parseFaultPlan } from '../../lib/sim/faults.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { instant, SECOND, START } from './support.ts';

const post = { method: 'POST', path: '/v2/orders', side: 'sell', symbol: 'AAA' } as const;
const fill = { event: 'fill', side: 'buy', symbol: 'AAA' } as const;

const planOf = (source: unknown): FaultPlan => {
  const parsed = parseFaultPlan(source);
  if ('mistakes' in parsed) throw new Error(JSON.stringify(parsed.mistakes));
  return parsed.plan;
};
const faultsOf = (source: unknown) => createFaults(planOf(source), createRandom(1));

describe('sim: faults', () => {
  it('pass everything without a plan', () => {
    const faults = createFaults(NO_FAULTS, createRandom(1));
    expect(faults.onRequest(post, START)).to.deep.equal({ kind: 'pass' });
    expect(faults.onFrame('trading', fill, START)).to.deep.equal({ kind: 'pass' });
    expect(faults.onConnect('data', START)).to.deep.equal({ kind: 'accept' });
    expect([...faults.hits.values()].every((count) => count === 0)).to.equal(true);
  });

  it('answer a scripted request so many times, accepted or not', () => {
    const match = { method: 'POST', path: '^/v2/orders$', side: 'sell' };
    const faults = faultsOf({
      script: [{ kind: 'rest', match, action: { status: 504, accept: true, body: 'html' }, times: 2 }],
    });
    expect(faults.onRequest({ ...post, side: 'buy' }, START).kind).to.equal('pass');
    expect(faults.onRequest({ ...post, path: '/v2/orders/1' }, START).kind).to.equal('pass');
    for (let i = 0; i < 2; i++)
      expect(faults.onRequest(post, START)).to.deep.equal({
        kind: 'answer',
        status: 504,
        code: 50_410_000,
        message: 'gateway timeout',
        body: 'html',
        accept: true,
      });
    expect(faults.onRequest(post, START).kind).to.equal('pass');
    expect(faults.hits.get('restAcceptedGatewayTimeout')).to.equal(2);
  });

  it('strike from an instant on', () => {
    const faults = faultsOf({
      script: [{ kind: 'rest', match: {}, action: { status: 500 }, from: '2024-01-03T15:31:00Z' }],
    });
    expect(faults.onRequest(post, START).kind).to.equal('pass');
    expect(faults.onRequest(post, instant('2024-01-03T15:31:00Z')).kind).to.equal('answer');
  });

  it('lose, repeat, delay and spoil scripted frames', () => {
    const actions = [
      { lose: true },
      { duplicate: 1 },
      { delayMs: 250 },
      { unknownEvent: true },
      { garbage: true },
    ];
    const faults = faultsOf({
      script: actions.map((action) => ({ kind: 'updates', match: { event: 'fill', side: 'buy' }, action })),
    });
    expect(faults.onFrame('data', fill, START).kind).to.equal('pass');
    const found = actions.map(() => faults.onFrame('trading', fill, START));
    expect(found).to.deep.equal([
      { kind: 'drop' },
      { kind: 'duplicate', extra: 1 },
      { kind: 'delay', delay: 250_000 },
      { kind: 'unknownEvent' },
      { kind: 'garbage' },
    ]);
    expect(faults.onFrame('trading', fill, START).kind).to.equal('pass');
  });

  it('treat connections as told', () => {
    const faults = faultsOf({
      script: [
        { kind: 'connect', target: 'data', action: { kind: 'connectSlotTaken' } },
        { kind: 'connect', target: 'data', action: { kind: 'connectMute', afterMs: 3_000 } },
      ],
    });
    expect(faults.onConnect('trading', START)).to.deep.equal({ kind: 'accept' });
    expect(faults.onConnect('data', START)).to.deep.equal({ kind: 'slotTaken' });
    expect(faults.onConnect('data', START)).to.deep.equal({ kind: 'mute', after: 3 * SECOND });
  });

  it('come at their instants, in order', () => {
    const faults = faultsOf({
      script: [
        { kind: 'halt', at: '2024-01-03T15:32:00Z', symbol: 'AAA' },
        { kind: 'drop', at: '2024-01-03T15:31:00Z', target: 'data' },
      ],
    });
    expect(faults.nextDueAt()).to.equal(instant('2024-01-03T15:31:00Z'));
    expect(faults.due(START)).to.deep.equal([]);
    expect(faults.due(instant('2024-01-03T15:35:00Z'))).to.deep.equal([
      { kind: 'drop', target: 'data' },
      { kind: 'act', action: { kind: 'halt', symbol: 'AAA', code: 'H', reason: 'LUDP' } },
    ]);
    expect(faults.nextDueAt()).to.equal(null);
    expect([faults.hits.get('dropSocket'), faults.hits.get('halt')]).to.deep.equal([1, 1]);
  });

  it('strike by chance as often as the rates say, each kind, and alike for alike seeds', () => {
    const rates = Object.fromEntries(
      [...REST_FAULTS, ...FRAME_FAULTS, ...CONNECT_FAULTS].map((kind) => [kind, 0.05]),
    );
    const plan = planOf({ rates });
    const run = (seed: number) => {
      const faults = createFaults(plan, createRandom(seed));
      const story = Array.from({ length: 4_000 }, (_, i) => {
        const now = (START + i) as Micros;
        return [
          faults.onRequest(post, now),
          faults.onFrame('trading', fill, now),
          faults.onFrame('data', { event: 'b', side: null, symbol: 'AAA' }, now),
          faults.onConnect('data', now),
        ];
      });
      return { story, hits: faults.hits };
    };
    const { story, hits } = run(3);
    for (const kind of Object.keys(rates)) expect(hits.get(kind as never), kind).to.be.within(140, 260);
    expect(run(3).story).to.deep.equal(story);
    expect(run(4).story).not.to.deep.equal(story);
  });

  it('name every mistake of a plan at once, with what was found', () => {
    const parsed = parseFaultPlan({
      rates: { restServerError: 2, nonsense: 0.1 },
      frameDelayMs: [5, 1],
      script: [
        { kind: 'rest', match: { path: '(' }, action: { status: 99 } },
        { kind: 'updates', match: { side: 'both' }, action: {} },
        { kind: 'drop', target: 'mail', at: 'noon' },
        { kind: 'quake' },
        { kind: 'connect', target: 'data', action: { kind: 'connectMaybe' }, times: 0 },
      ],
    });
    if (!('mistakes' in parsed)) throw new Error('taken for correct');
    const wheres = parsed.mistakes.map(({ where }) => where);
    expect(wheres).to.include.members([
      'rates.restServerError',
      'rates.nonsense',
      'frameDelayMs',
      'script[0].match.path',
      'script[0].action.status',
      'script[1].match.side',
      'script[1].action',
      'script[2].target',
      'script[2].at',
      'script[3].kind',
      'script[4].times',
      'script[4].action.kind',
    ]);
    for (const { text } of parsed.mistakes) expect(text).to.match(/found|allowed/);
  });

  it('never throw at whatever a plan may be', () => {
    for (const source of [
      null,
      undefined,
      1,
      'x',
      [],
      [1],
      { script: 1 },
      { script: [null, 3, []] },
      { rates: [] },
    ])
      expect(() => parseFaultPlan(source)).not.to.throw();
  });
});
