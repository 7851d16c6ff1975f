import type { Side } from '../domain/execution.ts';
import { invariant } from '../domain/invariant.ts';
import type { Micros } from '../domain/time.ts';
import type { ExchangeAction } from './exchange-api.ts';
import {
  CONNECT_FAULTS,
  type ConnectFaultKind,
  type FaultKind,
  type FaultPlan,
  FRAME_FAULTS,
  type FrameFaultKind,
  type FrameMatch,
  REST_FAULTS,
  type RestFaultKind,
  type RestMatch,
  type ScriptedFault,
  type Spread,
  type Stream,
  TIMED_FAULTS,
} from './fault-types.ts';
import type { Random } from './random.ts';

/*
 * What goes wrong, decided here and done by the doors. A scripted fault comes before chance; one fault a request, frame
 * or connection at the most. Equal plans, generators and questions give equal answers.
 */

export type RestQuestion = {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** Of an order being sent; `null` otherwise. */
  readonly side: Side | null;
  readonly symbol: string | null;
};

export type RestFault =
  | { readonly kind: 'pass' }
  /** Answers with this status. `accept`: the request takes effect first. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly code: number;
      readonly message: string;
      readonly body: 'json' | 'html' | 'garbage';
      readonly accept: boolean;
    }
  /** Never answers; the connection stays open. */
  | { readonly kind: 'silence'; readonly accept: boolean }
  /** Resets the connection instead of answering. */
  | { readonly kind: 'reset'; readonly accept: boolean }
  /** Treats the request as ever, so many microseconds later. */
  | { readonly kind: 'delay'; readonly delay: number };

export type FrameFault =
  | { readonly kind: 'pass' }
  | { readonly kind: 'drop' }
  /** Sends it `extra` more times. */
  | { readonly kind: 'duplicate'; readonly extra: number }
  /** Sends it so many microseconds later; frames behind it do not wait. */
  | { readonly kind: 'delay'; readonly delay: number }
  /** Sends it under an event name or type nobody knows. */
  | { readonly kind: 'unknownEvent' }
  /** Sends bytes that do not decode in its place. */
  | { readonly kind: 'garbage' };

export type ConnectFault =
  | { readonly kind: 'accept' }
  | { readonly kind: 'refuse' }
  /** 406: another session holds the slot. */
  | { readonly kind: 'slotTaken' }
  /** Opens and never says a word, not even to the authentication. */
  | { readonly kind: 'silent' }
  /** Works, then sends nothing any more, though it still answers pings. */
  | { readonly kind: 'mute'; readonly after: number }
  | { readonly kind: 'close'; readonly after: number }
  /** 407, then closes. */
  | { readonly kind: 'slowClient'; readonly after: number };

/** A fault at its own instant. */
export type TimedFault =
  | { readonly kind: 'drop'; readonly target: Stream }
  | { readonly kind: 'rateStorm' }
  | { readonly kind: 'act'; readonly action: ExchangeAction };

export type Faults = {
  onRequest(question: RestQuestion, now: Micros): RestFault;
  onFrame(stream: Stream, frame: FrameMatch, now: Micros): FrameFault;
  onConnect(stream: Stream, now: Micros): ConnectFault;
  /** When the next timed fault is due, or `null`. */
  nextDueAt(): Micros | null;
  /** Takes the timed faults that are due. */
  due(now: Micros): readonly TimedFault[];
  /** Adds to the script of a running exchange. */
  add(fault: ScriptedFault): void;
  /** Forgets what is left of the script: the line is as it should be again, but for chance. */
  lift(): void;
  /** How often each kind has struck. */
  readonly hits: ReadonlyMap<FaultKind, number>;
};

type Bounded<K extends ScriptedFault['kind']> = {
  readonly fault: Extract<ScriptedFault, { kind: K; times: number }>;
  left: number;
};
type AtInstant = Extract<ScriptedFault, { readonly at: Micros }>;

export function createFaults(plan: FaultPlan, random: Random): Faults {
  const chance = {
    rest: random.fork('rest'),
    trading: random.fork('updates'),
    data: random.fork('data'),
    connect: random.fork('connect'),
  };
  const hits = new Map<FaultKind, number>();
  for (const kind of [...REST_FAULTS, ...FRAME_FAULTS, ...CONNECT_FAULTS, ...TIMED_FAULTS]) hits.set(kind, 0);
  const hit = (kind: FaultKind): void => void hits.set(kind, (hits.get(kind) ?? 0) + 1);
  const draw = createDraw(plan, hit);

  const rest: Bounded<'rest'>[] = [];
  const frames: Record<Stream, Bounded<'updates' | 'data'>[]> = { trading: [], data: [] };
  const connects: Bounded<'connect'>[] = [];
  const timed: AtInstant[] = [];
  const add = (fault: ScriptedFault): void => {
    switch (fault.kind) {
      case 'rest':
        rest.push({ fault, left: fault.times });
        return;
      case 'connect':
        connects.push({ fault, left: fault.times });
        return;
      case 'updates':
      case 'data':
        frames[fault.kind === 'updates' ? 'trading' : 'data'].push({ fault, left: fault.times });
        return;
      default:
        timed.push(fault);
        timed.sort((a, b) => a.at - b.at);
    }
  };
  plan.script.forEach(add);

  return {
    hits,
    add,
    lift() {
      for (const entries of [rest, frames.trading, frames.data, connects, timed]) entries.length = 0;
    },
    onRequest(question, now) {
      const scripted = take(rest, now, ({ match }) => matchesRequest(match, question));
      if (scripted !== null) {
        hit(nameRest(scripted.action));
        return restFault(scripted.action);
      }
      const kind = draw(chance.rest, REST_FAULTS);
      return kind === null ? PASS : drawnRest(kind, chance.rest, plan.restDelay);
    },
    onFrame(stream, frame, now) {
      const prefix = stream === 'trading' ? 'update' : 'data';
      const scripted = take(frames[stream], now, ({ match }) => matchesFrame(match, frame));
      if (scripted !== null) {
        hit(nameFrame(prefix, scripted.action.kind));
        return scripted.action;
      }
      const kind = draw(chance[stream], stream === 'trading' ? UPDATE_FAULTS : DATA_FAULTS);
      return kind === null ? PASS : drawnFrame(kind, chance[stream], plan.frameDelay);
    },
    onConnect(stream, now) {
      const scripted = take(connects, now, ({ target }) => target === stream);
      if (scripted !== null) {
        hit(scripted.action.kind);
        return connectFault(scripted.action.kind, scripted.action.after);
      }
      const kind = draw(chance.connect, CONNECT_FAULTS);
      if (kind === null) return { kind: 'accept' };
      return connectFault(kind, span(chance.connect, plan.connectionLife));
    },
    nextDueAt: () => timed[0]?.at ?? null,
    due(now) {
      const found: TimedFault[] = [];
      for (let first = timed[0]; first !== undefined && first.at <= now; first = timed[0]) {
        timed.shift();
        hit(nameTimed(first));
        found.push(withoutInstant(first));
      }
      return found;
    },
  };
}

const PASS = { kind: 'pass' } as const;
const UPDATE_FAULTS = FRAME_FAULTS.filter((kind) => kind.startsWith('update'));
const DATA_FAULTS = FRAME_FAULTS.filter((kind) => kind.startsWith('data'));

/** One draw decides between all kinds of a group and none of them. */
function createDraw(plan: FaultPlan, hit: (kind: FaultKind) => void) {
  return <K extends RestFaultKind | FrameFaultKind | ConnectFaultKind>(
    random: Random,
    kinds: readonly K[],
  ): K | null => {
    let point = random.uniform();
    for (const kind of kinds) {
      point -= plan.rates[kind] ?? 0;
      if (point < 0) {
        hit(kind);
        return kind;
      }
    }
    return null;
  };
}

const span = (random: Random, [low, high]: Spread): number => Math.round(random.between(low, high));

/** The first scripted fault that fits and is not used up. */
function take<K extends 'rest' | 'updates' | 'data' | 'connect'>(
  entries: readonly Bounded<K>[],
  now: Micros,
  fits: (fault: Bounded<K>['fault']) => boolean,
): Bounded<K>['fault'] | null {
  for (const entry of entries) {
    const { fault } = entry;
    if (entry.left <= 0 || (fault.from !== null && now < fault.from) || !fits(fault)) continue;
    entry.left--;
    return fault;
  }
  return null;
}

function matchesRequest(match: RestMatch, question: RestQuestion): boolean {
  return (
    (match.method === null || match.method === question.method) &&
    (match.path === null || new RegExp(match.path).test(question.path)) &&
    (match.side === null || match.side === question.side) &&
    (match.symbol === null || match.symbol === question.symbol)
  );
}

function matchesFrame(match: FrameMatch, frame: FrameMatch): boolean {
  return (
    (match.event === null || match.event === frame.event) &&
    (match.side === null || match.side === frame.side) &&
    (match.symbol === null || match.symbol === frame.symbol)
  );
}

type RestAction = Extract<ScriptedFault, { kind: 'rest' }>['action'];

const restFault = (action: RestAction): RestFault =>
  action.kind === 'answer' ? answer(action.status, action.body, action.accept) : action;

/** The bodies Alpaca is known to send with these statuses. */
const BODIES: Readonly<Record<number, readonly [number, string]>> = {
  401: [40_110_000, 'request is not authorized'],
  403: [40_310_000, 'forbidden.'],
  404: [40_410_000, 'not found'],
  422: [42_210_000, 'unprocessable entity'],
  429: [42_910_000, 'rate limit exceeded'],
  500: [50_010_000, 'internal server error'],
  504: [50_410_000, 'gateway timeout'],
};

function answer(status: number, body: 'json' | 'html' | 'garbage', accept: boolean): RestFault {
  const [code, message] = BODIES[status] ?? [status * 100_000 + 10_000, 'error'];
  return { kind: 'answer', status, code, message, body, accept };
}

function drawnRest(kind: RestFaultKind, random: Random, delay: Spread): RestFault {
  switch (kind) {
    case 'restServerError':
      return answer(500, 'json', false);
    case 'restHtmlError':
      return answer(random.pick([502, 503, 504]), 'html', false);
    case 'restUnauthorizedHtml':
      return answer(401, 'html', false);
    case 'restRateLimited':
      return answer(429, 'json', false);
    case 'restGarbage':
      return answer(200, 'garbage', true);
    case 'restDelay':
      return { kind: 'delay', delay: span(random, delay) };
    case 'restReset':
      return { kind: 'reset', accept: false };
    case 'restNeverArrives':
      return { kind: 'silence', accept: false };
    case 'restAcceptedServerError':
      return answer(500, 'json', true);
    case 'restAcceptedGatewayTimeout':
      return answer(504, 'html', true);
    case 'restAcceptedReset':
      return { kind: 'reset', accept: true };
    case 'restAcceptedNoAnswer':
      return { kind: 'silence', accept: true };
  }
}

/** Under which kind a scripted fault counts. */
function nameRest(action: RestAction): RestFaultKind {
  switch (action.kind) {
    case 'delay':
      return 'restDelay';
    case 'reset':
      return action.accept ? 'restAcceptedReset' : 'restReset';
    case 'silence':
      return action.accept ? 'restAcceptedNoAnswer' : 'restNeverArrives';
    case 'answer':
      if (action.body === 'garbage') return 'restGarbage';
      if (action.status === 429) return 'restRateLimited';
      if (action.status === 401) return 'restUnauthorizedHtml';
      if (action.accept)
        return action.status === 504 ? 'restAcceptedGatewayTimeout' : 'restAcceptedServerError';
      return action.body === 'html' ? 'restHtmlError' : 'restServerError';
  }
}

const FRAME_NAMES = {
  drop: 'Drop',
  duplicate: 'Duplicate',
  delay: 'Delay',
  unknownEvent: 'UnknownEvent',
  garbage: 'Garbage',
} as const;

const nameFrame = (prefix: 'update' | 'data', kind: keyof typeof FRAME_NAMES): FrameFaultKind =>
  `${prefix}${FRAME_NAMES[kind]}`;

function drawnFrame(kind: FrameFaultKind, random: Random, delay: Spread): FrameFault {
  const bare = (Object.keys(FRAME_NAMES) as (keyof typeof FRAME_NAMES)[]).find((name) =>
    kind.endsWith(FRAME_NAMES[name]),
  );
  invariant(bare !== undefined, 'every frame fault has an action', kind);
  if (bare === 'duplicate') return { kind: bare, extra: random.integer(1, 2) };
  if (bare === 'delay') return { kind: bare, delay: span(random, delay) };
  return { kind: bare };
}

function connectFault(kind: ConnectFaultKind, after: number): ConnectFault {
  switch (kind) {
    case 'connectRefuse':
      return { kind: 'refuse' };
    case 'connectSlotTaken':
      return { kind: 'slotTaken' };
    case 'connectSilent':
      return { kind: 'silent' };
    case 'connectMute':
      return { kind: 'mute', after };
    case 'connectClose':
      return { kind: 'close', after };
    case 'connectSlowClient':
      return { kind: 'slowClient', after };
  }
}

function withoutInstant(fault: AtInstant): TimedFault {
  switch (fault.kind) {
    case 'drop':
      return { kind: fault.kind, target: fault.target };
    case 'rateStorm':
      return { kind: fault.kind };
    case 'act':
      return { kind: fault.kind, action: fault.action };
  }
}

function nameTimed(fault: AtInstant): FaultKind {
  if (fault.kind === 'drop') return 'dropSocket';
  if (fault.kind === 'rateStorm') return 'rateStorm';
  return fault.action.kind === 'halt' || fault.action.kind === 'resume' ? 'halt' : 'byHand';
}

export { parseFaultPlan } from './fault-plan.ts';
export type { FaultPlan } from './fault-types.ts';
