import type { Side } from '../domain/execution.ts';
import type { Micros } from '../domain/time.ts';
import type { ExchangeAction } from './exchange-api.ts';

/** Faults of REST requests that strike by chance. `accepted` ones lose the answer of a request that took effect. */
export const REST_FAULTS = [
  'restServerError',
  'restHtmlError',
  'restUnauthorizedHtml',
  'restRateLimited',
  'restGarbage',
  'restDelay',
  'restReset',
  'restNeverArrives',
  'restAcceptedServerError',
  'restAcceptedGatewayTimeout',
  'restAcceptedReset',
  'restAcceptedNoAnswer',
] as const;
/** Faults of frames, once for each stream. A delayed frame is overtaken by those behind it. */
export const FRAME_FAULTS = [
  'updateDrop',
  'updateDuplicate',
  'updateDelay',
  'updateUnknownEvent',
  'updateGarbage',
  'dataDrop',
  'dataDuplicate',
  'dataDelay',
  'dataUnknownEvent',
  'dataGarbage',
] as const;
/** Faults of connection attempts, either stream. */
export const CONNECT_FAULTS = [
  'connectRefuse',
  'connectSlotTaken',
  'connectSilent',
  'connectMute',
  'connectClose',
  'connectSlowClient',
] as const;
/** Faults that happen at their own instant. */
export const TIMED_FAULTS = ['dropSocket', 'rateStorm', 'halt', 'byHand'] as const;

export type RestFaultKind = (typeof REST_FAULTS)[number];
export type FrameFaultKind = (typeof FRAME_FAULTS)[number];
export type ConnectFaultKind = (typeof CONNECT_FAULTS)[number];
export type TimedFaultKind = (typeof TIMED_FAULTS)[number];
export type FaultKind = RestFaultKind | FrameFaultKind | ConnectFaultKind | TimedFaultKind;

export type Stream = 'data' | 'trading';
/** A range in microseconds to draw from. */
export type Spread = readonly [number, number];

export type ScriptedFault =
  /** The first `times` requests from `from` on that match. A status answers; `accept` lets the request take effect first. */
  | {
      readonly kind: 'rest';
      readonly match: RestMatch;
      readonly from: Micros | null;
      readonly times: number;
      readonly action:
        | {
            readonly kind: 'answer';
            readonly status: number;
            readonly body: 'json' | 'html' | 'garbage';
            readonly accept: boolean;
          }
        | { readonly kind: 'silence'; readonly accept: boolean }
        | { readonly kind: 'reset'; readonly accept: boolean }
        | { readonly kind: 'delay'; readonly delay: number };
    }
  | {
      readonly kind: 'updates' | 'data';
      readonly match: FrameMatch;
      readonly from: Micros | null;
      readonly times: number;
      readonly action:
        | { readonly kind: 'drop' }
        | { readonly kind: 'duplicate'; readonly extra: number }
        | { readonly kind: 'delay'; readonly delay: number }
        | { readonly kind: 'unknownEvent' }
        | { readonly kind: 'garbage' };
    }
  | {
      readonly kind: 'connect';
      readonly target: Stream;
      readonly from: Micros | null;
      readonly times: number;
      readonly action: { readonly kind: ConnectFaultKind; readonly after: number };
    }
  | { readonly kind: 'drop'; readonly target: Stream; readonly at: Micros }
  | { readonly kind: 'rateStorm'; readonly at: Micros }
  | { readonly kind: 'act'; readonly at: Micros; readonly action: ExchangeAction };

export type RestMatch = {
  readonly method: string | null;
  /** A regular expression on the path without its query. */
  readonly path: string | null;
  readonly side: Side | null;
  readonly symbol: string | null;
};
export type FrameMatch = {
  /** `fill`, `new`, ... on the trading stream; `b`, `t`, `q`, ... on the data stream. */
  readonly event: string | null;
  readonly side: Side | null;
  readonly symbol: string | null;
};

export type FaultPlan = {
  /** Share of requests, frames or connection attempts that suffer each fault, 0 to 1. */
  readonly rates: Readonly<Partial<Record<RestFaultKind | FrameFaultKind | ConnectFaultKind, number>>>;
  readonly restDelay: Spread;
  readonly frameDelay: Spread;
  /** How long a connection lives before it goes mute or closes. */
  readonly connectionLife: Spread;
  readonly script: readonly ScriptedFault[];
};

export const NO_FAULTS: FaultPlan = {
  rates: {},
  restDelay: [50_000, 3_000_000],
  frameDelay: [20_000, 2_000_000],
  connectionLife: [5_000_000, 120_000_000],
  script: [],
};
