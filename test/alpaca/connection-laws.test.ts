import { expect } from 'chai';
import fc from 'fast-check';
import { openConnection, wakeAt } from '../../lib/engine/connection.ts';
import type { Connection, ConnectionEvent } from '../../lib/engine/connection-types.ts';
import { type Bare, channelsOf, live, POLICY, START, Story, WANTED } from './connection-story.ts';

describe('connection: subscriptions that are not taken whole', () => {
  /** A server with room for `limit` symbols that refuses some names; says what the machine ends with. */
  function negotiate(count: number, limit: number, badNames: ReadonlySet<string>, channels = true) {
    const symbols = Array.from({ length: count }, (_, i) => `S${i}`);
    const story = new Story(openConnection(POLICY, { ...WANTED, symbols }));
    story
      .tell(0, { kind: 'started' })
      .tell(0, { kind: 'opened', socket: 1 })
      .tell(0, { kind: 'authenticated', socket: 1 });
    const held: string[] = [];
    let requests = 0;
    while (story.state.kind === 'subscribing') {
      requests += 1;
      const command = story.commands.find((c) => c.kind === 'subscribe');
      if (command?.kind !== 'subscribe') break;
      const error = (code: number) => story.tell(requests, { kind: 'errored', socket: 1, code, text: 'no' });
      if (!channels && command.channels.includes('lulds')) error(410);
      else if (command.symbols.some((s) => badNames.has(s))) error(400);
      else if (held.length + command.symbols.length > limit) error(405);
      else {
        held.push(...command.symbols);
        story.tell(requests, { kind: 'confirmed', socket: 1, channels: channelsOf(held) });
      }
    }
    return { story, held, requests };
  }

  it('keeps as many as the plan allows, the first wanted first, and reports the rest', () => {
    const { story, held } = negotiate(50, 30, new Set());
    expect(story.state.kind).to.equal('live');
    expect(held).to.deep.equal(Array.from({ length: 30 }, (_, i) => `S${i}`));
    const status = story.commands.find((c) => c.kind === 'status');
    expect(status?.kind === 'status' && status.status.missing).to.have.length(20);
    expect(story.detail).to.contain('30 of 50 confirmed; refused by the server: S30');
  });

  it('finds the limit in few requests, whatever it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 3_000 }), (count, limit) => {
        const { story, held, requests } = negotiate(count, limit, new Set());
        expect(story.state.kind).to.equal('live');
        expect(held).to.have.length(Math.min(count, limit));
        expect(requests).to.be.at.most(45);
      }),
    );
  });

  it('goes on without the symbols that the server cannot read', () => {
    const { story, held } = negotiate(16, 1_000, new Set(['S3', 'S11']));
    expect(held).to.have.length(14);
    expect(story.state.kind === 'live' && story.state.refused).to.deep.equal(['S3', 'S11']);
  });

  it('goes on without the optional channels that the feed does not have', () => {
    const { story } = negotiate(3, 30, new Set(), false);
    expect(story.state.kind).to.equal('live');
  });

  it('is refused, not live, when nothing at all was taken', () => {
    expect(negotiate(3, 0, new Set()).story.state.kind).to.equal('refused');
  });
});

describe('connection: laws', () => {
  const socketEvent = fc.constantFrom<Bare>(
    { kind: 'opened', socket: 0 },
    { kind: 'upgradeRefused', socket: 0, status: 503 },
    { kind: 'upgradeRefused', socket: 0, status: 429 },
    { kind: 'upgradeRefused', socket: 0, status: 401 },
    { kind: 'lost', socket: 0, text: 'cut' },
    { kind: 'authenticated', socket: 0 },
    { kind: 'authenticated', socket: 0 },
    { kind: 'unauthorized', socket: 0, text: 'no' },
    ...[400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 500, 777, null].map(
      (code): Bare => ({ kind: 'errored', socket: 0, code, text: 'x' }),
    ),
    { kind: 'confirmed', socket: 0, channels: channelsOf(WANTED.symbols) },
    { kind: 'confirmed', socket: 0, channels: channelsOf(['AAPL']) },
    { kind: 'confirmed', socket: 0, channels: {} },
    { kind: 'ponged', socket: 0 },
  );
  const step = fc.record({
    event: fc.oneof(
      { weight: 4, arbitrary: socketEvent },
      { weight: 3, arbitrary: fc.constant<Bare>({ kind: 'woke', heardAt: null, dueSince: null }) },
      { weight: 1, arbitrary: fc.constant<Bare>({ kind: 'woke', heardAt: START, dueSince: START }) },
      { weight: 1, arbitrary: fc.constant<Bare>({ kind: 'started' }) },
    ),
    /** Goes the short way towards live first, so that the late states are met as often as the early ones. */
    forward: fc.integer({ min: 0, max: 4 }),
    stale: fc.integer({ min: 0, max: 9 }),
    wait: fc.integer({ min: 0, max: 120 }),
    random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  /** Sends the machine the short way to live, from wherever it is. */
  const shortWay = (story: Story, now: number): void => {
    const { state } = story;
    const socket = state.socket;
    if (state.kind === 'connecting') story.tell(now, { kind: 'opened', socket });
    else if (state.kind === 'authenticating') story.tell(now, { kind: 'authenticated', socket });
    else if (state.kind === 'subscribing')
      story.tell(now, { kind: 'confirmed', socket, channels: channelsOf(WANTED.symbols) });
    else story.wake(now);
  };

  it('always has an instant to wake at, opens one socket at a time, and can get live from everywhere', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
        const story = new Story().tell(0, { kind: 'started' });
        const open = new Set([1]);
        let now = 0;
        const follow = (): void => {
          for (const command of story.commands) {
            if (command.kind === 'drop') open.delete(command.socket);
            if (command.kind === 'open') open.add(command.socket);
          }
          expect(open.size).to.be.at.most(1);
          expect(wakeAt(story.state), story.state.kind).to.not.equal(null);
        };
        for (const { event, forward, stale, wait, random } of steps) {
          now += wait;
          for (let i = 0; i < forward && story.state.kind !== 'live'; i += 1) {
            now += 1;
            shortWay(story, now);
            follow();
          }
          const socket = stale === 0 ? story.state.socket - 1 : story.state.socket;
          story.tell(now, 'socket' in event ? { ...event, socket } : event, random);
          follow();
        }
        for (let i = 0; i < 10 && story.state.kind !== 'live'; i += 1) {
          now += 400;
          shortWay(story, now);
          follow();
        }
        expect(story.state.kind).to.equal('live');
        story.tell(now, { kind: 'closeAsked' });
        for (const command of story.commands) if (command.kind === 'drop') open.delete(command.socket);
        expect(open.size).to.equal(0);
      }),
      { numRuns: 200 },
    );
  });

  it('decides every pair of state and event', () => {
    const started = () => new Story().tell(0, { kind: 'started' });
    const opened = () => started().tell(0, { kind: 'opened', socket: 1 });
    const states: Readonly<Record<Connection['kind'], () => Story>> = {
      idle: () => new Story(),
      connecting: started,
      authenticating: opened,
      subscribing: () => opened().tell(0, { kind: 'authenticated', socket: 1 }),
      live: () => live(),
      waiting: () => live().tell(0, { kind: 'lost', socket: 1, text: 'cut' }),
      slotTaken: () => opened().tell(0, { kind: 'errored', socket: 1, code: 406, text: 'taken' }),
      refused: () => opened().tell(0, { kind: 'errored', socket: 1, code: 402, text: 'wrong key' }),
      closed: () => live().tell(0, { kind: 'closeAsked' }),
    };
    const events: Readonly<Record<ConnectionEvent['kind'], Bare>> = {
      started: { kind: 'started' },
      opened: { kind: 'opened', socket: 1 },
      upgradeRefused: { kind: 'upgradeRefused', socket: 1, status: 500 },
      lost: { kind: 'lost', socket: 1, text: 'cut' },
      authenticated: { kind: 'authenticated', socket: 1 },
      unauthorized: { kind: 'unauthorized', socket: 1, text: 'no' },
      errored: { kind: 'errored', socket: 1, code: 500, text: 'internal error' },
      confirmed: { kind: 'confirmed', socket: 1, channels: channelsOf(WANTED.symbols) },
      ponged: { kind: 'ponged', socket: 1 },
      woke: { kind: 'woke', heardAt: null, dueSince: null },
      closeAsked: { kind: 'closeAsked' },
    };
    const table = Object.entries(states).map(([name, story]) => {
      expect(story().state.kind).to.equal(name);
      const next = Object.values(events).map((event) => story().tell(1_000, event).state.kind);
      return `${name}: ${next.join(' ')}`;
    });
    const same = (kind: string, times: number): string => Array.from({ length: times }, () => kind).join(' ');
    expect(table).to.deep.equal([
      `idle: connecting ${same('idle', 9)} closed`,
      `connecting: connecting authenticating waiting waiting ${same('connecting', 5)} waiting closed`,
      'authenticating: authenticating authenticating authenticating waiting subscribing refused waiting authenticating authenticating waiting closed',
      'subscribing: subscribing subscribing subscribing waiting subscribing waiting waiting live subscribing waiting closed',
      'live: live live live waiting live waiting waiting live live live closed',
      `waiting: ${same('waiting', 9)} connecting closed`,
      `slotTaken: ${same('slotTaken', 9)} connecting closed`,
      `refused: ${same('refused', 9)} connecting closed`,
      `closed: ${same('closed', 11)}`,
    ]);
  });
});
