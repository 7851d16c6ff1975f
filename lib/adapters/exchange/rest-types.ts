import type { Exchange } from '../../sim/exchange-api.ts';
import type { Refused } from '../alpaca/codec-encode-errors.ts';
import type { Query } from '../alpaca/codec-serve-orders.ts';

/** What one request brings to a handler. `body` is parsed JSON, `undefined` when there was none. */
export type RouteRequest = {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: Query;
  readonly body: unknown;
};

/** What goes back; `body: null` sends none, a text is sent as a page, anything else as JSON. */
export type Reply = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What the account may see: the entitlements of a market-data plan. */
export type DataPlan = {
  /** Feeds of the data socket and of recent history. */
  readonly feeds: readonly string[];
  /** Symbols a connection may subscribe to over all channels, `null` for no limit. */
  readonly symbolLimit: number | null;
};

export type Door = { readonly exchange: Exchange; readonly speed: number; readonly plan: DataPlan };

export type Handler = (request: RouteRequest, door: Door) => Reply;

export const ok = (body: unknown): Reply => ({ status: 200, body });
export const refused = ({ status, body }: Refused): Reply => ({ status, body });
