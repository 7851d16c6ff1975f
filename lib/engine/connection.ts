import { unreachable } from '../domain/invariant.ts';
import { after, type Duration, type Micros } from '../domain/time.ts';
import type { FeedState } from '../ports/feeds.ts';
import {
  beginProgress,
  missingFrom,
  onChannel,
  onConfirmed,
  onLimit,
  onSyntax,
} from './connection-subscribe.ts';
import type {
  Connection,
  ConnectionBase,
  ConnectionCommand,
  ConnectionEvent,
  ConnectionPolicy,
  Ping,
  Progress,
  Wanted,
} from './connection-types.ts';

/**
 * A socket's life as a pure machine: `reduceConnection` takes what happened and says what to do. The adapter keeps one
 * timer, set for `wakeAt`, and sends `woke` when it comes; nothing else moves the machine through its deadlines.
 */
type Step = readonly [Connection, readonly ConnectionCommand[]];
type In<K extends Connection['kind']> = Extract<Connection, { kind: K }>;
type On<K extends ConnectionEvent['kind']> = Extract<ConnectionEvent, { kind: K }>;

export function openConnection(policy: ConnectionPolicy, wanted: Wanted): Connection {
  return { policy, wanted, socket: 0, losses: 0, mutes: 0, kind: 'idle' };
}

/** When the machine wants to be woken; `null` only before the start and after the end. */
export function wakeAt(state: Connection): Micros | null {
  switch (state.kind) {
    case 'connecting':
    case 'authenticating':
    case 'subscribing':
      return state.deadlineAt;
    case 'live':
      return state.ping.kind === 'sent' ? state.ping.deadlineAt : state.ping.nextAt;
    case 'waiting':
    case 'slotTaken':
    case 'refused':
      return state.until;
    case 'idle':
    case 'closed':
      return null;
    default:
      return unreachable(state);
  }
}

export function reduceConnection(state: Connection, event: ConnectionEvent): Step {
  if (state.kind === 'closed') return stay(state);
  if (event.kind === 'closeAsked') return end(state);
  if (isStale(state, event)) return stay(state);
  switch (state.kind) {
    case 'idle':
      return event.kind === 'started' ? connect(state, event.at) : stay(state);
    case 'connecting':
      return whileConnecting(state, event);
    case 'authenticating':
      return whileAuthenticating(state, event);
    case 'subscribing':
      return whileSubscribing(state, event);
    case 'live':
      return whileLive(state, event);
    case 'waiting':
    case 'slotTaken':
    case 'refused':
      return event.kind === 'woke' && event.at >= state.until ? connect(state, event.at) : stay(state);
    default:
      return unreachable(state);
  }
}

const stay = (state: Connection): Step => [state, []];

/** A socket that was given up may still have something to say. */
const isStale = (state: Connection, event: ConnectionEvent): boolean =>
  'socket' in event && event.socket !== state.socket;

function whileConnecting(state: In<'connecting'>, event: ConnectionEvent): Step {
  switch (event.kind) {
    case 'opened': {
      const deadlineAt = after(event.at, state.policy.answerWait);
      const next: Connection = { ...baseOf(state), kind: 'authenticating', deadlineAt };
      return [next, [{ kind: 'authenticate' }, said('authenticating', 'waiting for the authorization')]];
    }
    case 'upgradeRefused':
      return onUpgradeRefused(state, event);
    case 'lost':
      return lose(state, event, event.text);
    case 'woke':
      return overdue(state, event, 'no connection in time');
    default:
      return stay(state);
  }
}

function whileAuthenticating(state: In<'authenticating'>, event: ConnectionEvent): Step {
  switch (event.kind) {
    case 'authenticated':
      return subscribe(state, beginProgress(state), event);
    case 'unauthorized':
      return refuse(state, event.at, event.text);
    case 'errored':
      if (event.code === ALREADY_AUTHENTICATED) return subscribe(state, beginProgress(state), event);
      return onError(state, event);
    case 'lost':
      return lose(state, event, event.text);
    case 'woke':
      return overdue(state, event, 'no answer to the authorization in time');
    default:
      return stay(state);
  }
}

function whileSubscribing(state: In<'subscribing'>, event: ConnectionEvent): Step {
  switch (event.kind) {
    case 'confirmed': {
      const progress = onConfirmed(state, state.progress, event.channels);
      return progress === null ? stay(state) : subscribe(state, progress, event);
    }
    case 'errored':
      return onSubscribeError(state, event);
    case 'unauthorized':
    case 'lost':
      return lose(state, event, event.text);
    case 'woke':
      return overdue(state, event, 'the subscription was not confirmed in time');
    default:
      return stay(state);
  }
}

function onSubscribeError(state: In<'subscribing'>, event: On<'errored'>): Step {
  switch (event.code) {
    case SYMBOL_LIMIT:
      return subscribe(state, onLimit(state, state.progress), event);
    case SYNTAX:
      return subscribe(state, onSyntax(state, state.progress), event);
    case UNKNOWN_CHANNEL: {
      const progress = onChannel(state, state.progress);
      return progress === null ? refuse(state, event.at, event.text) : subscribe(state, progress, event);
    }
    case ALREADY_AUTHENTICATED:
      return stay(state);
    default:
      return onError(state, event);
  }
}

/** Sends the next piece, or ends the subscribing when nothing is left to ask for. */
function subscribe(state: Connection, progress: Progress, event: ConnectionEvent): Step {
  const { asked, channels, confirmed, refused } = progress;
  if (asked.length > 0) {
    const deadlineAt = after(event.at, state.policy.answerWait);
    const next: Connection = { ...baseOf(state), kind: 'subscribing', deadlineAt, progress };
    const detail = `${confirmed.length} of ${state.wanted.symbols.length} confirmed`;
    return [next, [{ kind: 'subscribe', channels, symbols: asked }, said('subscribing', detail)]];
  }
  if (confirmed.length === 0 && refused.length > 0)
    return refuse(state, event.at, `every subscription was refused: ${listed(refused)}`);
  const ping: Ping = { kind: 'resting', nextAt: after(event.at, state.policy.pingEvery) };
  const live: Connection = { ...baseOf(state), kind: 'live', since: event.at, ping, refused };
  const detail = `${confirmed.length} of ${state.wanted.symbols.length} confirmed`;
  const missing = refused.length === 0 ? '' : `; refused by the server: ${listed(refused)}`;
  return [
    live,
    [{ kind: 'status', status: { state: 'live', detail: `${detail}${missing}`, missing: refused } }],
  ];
}

function whileLive(state: In<'live'>, event: ConnectionEvent): Step {
  switch (event.kind) {
    case 'ponged':
      return stay(rested(state, event.at));
    case 'woke':
      return onWokeLive(state, event);
    case 'confirmed':
      return onChangedSet(state, event);
    case 'errored':
      // Answers to requests; none is under way.
      return [SYNTAX, ALREADY_AUTHENTICATED, SYMBOL_LIMIT, UNKNOWN_CHANNEL].includes(event.code ?? 0)
        ? stay(state)
        : onError(state, event);
    case 'unauthorized':
    case 'lost':
      return lose(state, event, event.text);
    default:
      return stay(state);
  }
}

function onWokeLive(state: In<'live'>, event: On<'woke'>): Step {
  const heard = event.heardAt !== null && event.heardAt >= state.since;
  const settled: In<'live'> = heard ? { ...state, mutes: 0 } : state;
  const silence = silenceOf(settled, event);
  const limit = muteLimit(settled);
  if (limit !== null && silence !== null && silence >= limit) {
    const text = `mute: no data for ${inSeconds(silence)} although some is due`;
    return lose({ ...settled, mutes: settled.mutes + 1 }, event, text);
  }
  const { ping, policy } = settled;
  if (ping.kind === 'resting') {
    if (event.at < ping.nextAt) return stay(settled);
    const sent: Ping = { kind: 'sent', deadlineAt: after(event.at, policy.pongWait) };
    return [{ ...settled, ping: sent }, [{ kind: 'ping' }]];
  }
  if (event.at < ping.deadlineAt) return stay(settled);
  // A pong can stand behind a burst of data; whatever was heard since the ping is a sign of life as good as it.
  const sentAt = ping.deadlineAt - policy.pongWait;
  if (event.heardAt !== null && event.heardAt > sentAt) return stay(rested(settled, event.at));
  return lose(settled, event, `no pong within ${inSeconds(policy.pongWait)}`);
}

const rested = (state: In<'live'>, at: Micros): In<'live'> => ({
  ...state,
  ping: { kind: 'resting', nextAt: after(at, state.policy.pingEvery) },
});

/** How long all wanted symbols have been silent while data were due; `null` while none are. */
function silenceOf(state: In<'live'>, event: On<'woke'>): Duration | null {
  if (event.dueSince === null || state.wanted.symbols.length === 0) return null;
  return (event.at - Math.max(event.dueSince, state.since, event.heardAt ?? 0)) as Duration;
}

/** Quiet symbols look like a mute feed. When a reconnect has brought nothing either, the next wait is twice as long. */
function muteLimit(state: In<'live'>): Duration | null {
  const { muteAfter, muteAfterMax } = state.policy;
  return muteAfter === null ? null : (Math.min(muteAfter * 2 ** state.mutes, muteAfterMax) as Duration);
}

/** The server lists its set again; when it has lost some of ours, they are asked for again. */
function onChangedSet(state: In<'live'>, event: On<'confirmed'>): Step {
  const known = new Set(state.refused);
  const held = state.wanted.symbols.filter((symbol) => !known.has(symbol));
  const missing = missingFrom(state, held, event.channels);
  if (missing.length === 0) return stay(state);
  const gone = new Set(missing);
  const begun = beginProgress({ ...state, wanted: { ...state.wanted, symbols: missing } });
  const confirmed = held.filter((symbol) => !gone.has(symbol));
  return subscribe(state, { ...begun, confirmed, refused: state.refused }, event);
}

/** Alpaca's error codes of the data stream. Source: docs "WebSocket Stream" and "Real-time Stock Data". */
const SYNTAX = 400;
const AUTH_FAILED = 402;
const ALREADY_AUTHENTICATED = 403;
const SYMBOL_LIMIT = 405;
const SLOT_TAKEN = 406;
const NOT_ENABLED = 408;
const NOT_IN_PLAN = 409;
const UNKNOWN_CHANNEL = 410;
const NO_SCOPE = 411;

/** 404 (authorization too late), 407 (slow client), 500 and whatever is new: connect again after a pause. */
function onError(state: Connection, event: On<'errored'>): Step {
  switch (event.code) {
    case SLOT_TAKEN:
      return takeSlotLater(state, event.at);
    case AUTH_FAILED:
    case NOT_ENABLED:
    case NOT_IN_PLAN:
    case NO_SCOPE:
      return refuse(state, event.at, event.text);
    default:
      return lose(state, event, `error ${event.code ?? 'without code'}: ${event.text}`);
  }
}

function onUpgradeRefused(state: Connection, event: On<'upgradeRefused'>): Step {
  switch (event.status) {
    case 401:
    case 403:
      return refuse(state, event.at, `the upgrade was answered ${event.status}`);
    case 406:
      return takeSlotLater(state, event.at);
    case 429:
      // The budget of the account is spent: as slow as it gets at once.
      return lose(
        { ...state, losses: LOSSES_COUNTED },
        event,
        'the upgrade was answered 429: too many requests',
      );
    default:
      return lose(state, event, `the upgrade was answered ${event.status}`);
  }
}

/** Doublings beyond this make no difference to any pause. */
const LOSSES_COUNTED = 30;

/** Gives the socket up and waits. The pause is random, so that clients which fell together do not come back together. */
function lose(state: Connection, event: ConnectionEvent, text: string): Step {
  const { policy } = state;
  const healthy = state.kind === 'live' && event.at - state.since >= policy.healthyAfter;
  const losses = healthy ? 0 : state.losses;
  const longest = Math.min(policy.backoffFirst * 2 ** losses, policy.backoffMax);
  const pause = Math.ceil(longest / 2 + (longest / 2) * event.random) as Duration;
  const counted = Math.min(losses + 1, LOSSES_COUNTED);
  const next: Connection = {
    ...baseOf(state),
    losses: counted,
    kind: 'waiting',
    until: after(event.at, pause),
  };
  const detail = `${text}; next attempt in ${inSeconds(pause)}`;
  return [next, [drop(state, event.kind !== 'lost'), said('waiting', detail)]];
}

function overdue(
  state: In<'connecting' | 'authenticating' | 'subscribing'>,
  event: On<'woke'>,
  text: string,
): Step {
  return event.at >= state.deadlineAt ? lose(state, event, text) : stay(state);
}

/** One attempt each time the old session can have ended: hammering ends in 429 on the upgrade. */
function takeSlotLater(state: Connection, at: Micros): Step {
  const { slotWait } = state.policy;
  const next: Connection = { ...baseOf(state), kind: 'slotTaken', until: after(at, slotWait) };
  const detail = `another session holds the one connection of this key (another process, or one that just died); next attempt in ${inSeconds(slotWait)}`;
  return [next, [drop(state, true), said('slotTaken', detail)]];
}

function refuse(state: Connection, at: Micros, text: string): Step {
  const { refusedWait } = state.policy;
  const next: Connection = { ...baseOf(state), kind: 'refused', until: after(at, refusedWait) };
  const detail = `${text}; next attempt in ${inSeconds(refusedWait)}`;
  return [next, [drop(state, true), said('refused', detail)]];
}

function connect(state: Connection, at: Micros): Step {
  const socket = state.socket + 1;
  const deadlineAt = after(at, state.policy.connectWait);
  const next: Connection = { ...baseOf(state), socket, kind: 'connecting', deadlineAt };
  return [next, [{ kind: 'open', socket }, said('connecting', 'opening the connection')]];
}

function end(state: Connection): Step {
  const next: Connection = { ...baseOf(state), kind: 'closed' };
  const open = ['connecting', 'authenticating', 'subscribing', 'live'].includes(state.kind);
  return [next, [...(open ? [drop(state, true)] : []), said('closed', 'closed by us')]];
}

const drop = (state: Connection, politely: boolean): ConnectionCommand => ({
  kind: 'drop',
  socket: state.socket,
  politely,
});

const said = (state: FeedState, detail: string): ConnectionCommand => ({
  kind: 'status',
  status: { state, detail },
});

const baseOf = (state: Connection): ConnectionBase => ({
  policy: state.policy,
  wanted: state.wanted,
  socket: state.socket,
  losses: state.losses,
  mutes: state.mutes,
});

const inSeconds = (duration: Duration): string => `${Math.round(duration / 100_000) / 10} s`;

const LISTED_MAX = 20;
const listed = (symbols: readonly string[]): string =>
  symbols.length <= LISTED_MAX
    ? symbols.join(', ')
    : `${symbols.slice(0, LISTED_MAX).join(', ')} and ${symbols.length - LISTED_MAX} more`;
