/** Synthetic answers and frames in the documented shapes. */

/** The synthetic sample of the protocol: every key present, unset ones null, keys that no schema names. */
export const ORDER = {
  id: 'a1',
  client_order_id: 'scalpd-20261005-ABC-17-0',
  created_at: '2026-10-05T14:30:01.0Z',
  updated_at: '2026-10-05T14:30:01.12Z',
  submitted_at: '2026-10-05T10:30:01.0-04:00',
  filled_at: '2026-10-05T14:30:01.09Z',
  expired_at: null,
  expires_at: '2026-10-05T20:00:00Z',
  cancel_requested_at: null,
  canceled_at: null,
  failed_at: null,
  replaced_at: null,
  replaced_by: null,
  replaces: null,
  asset_id: 'b0',
  symbol: 'ABC',
  asset_class: 'us_equity',
  notional: null,
  qty: '100',
  filled_qty: '40',
  filled_avg_price: '20.05',
  order_class: '',
  order_type: 'limit',
  type: 'limit',
  side: 'buy',
  position_intent: 'buy_to_open',
  time_in_force: 'day',
  limit_price: '20.06',
  stop_price: null,
  status: 'partially_filled',
  extended_hours: false,
  legs: null,
  trail_percent: null,
  trail_price: null,
  hwm: null,
  source: null,
  subtag: null,
};

export const FILL = {
  event: 'partial_fill',
  execution_id: '6f1c',
  at: '2026-10-05T14:30:01.123456Z',
  event_id: '01K6',
  timestamp: '2026-10-05T14:30:01.098765432Z',
  price: '20.05',
  qty: '40',
  position_qty: '40',
  order: ORDER,
};

/** Without the fields that were removed in 2026. */
export const ACCOUNT = {
  id: '904837e3',
  account_number: 'PA1',
  status: 'ACTIVE',
  currency: 'USD',
  cash: '100000.00',
  equity: '100012.345',
  buying_power: '200000',
  multiplier: '2',
  trading_blocked: false,
  account_blocked: false,
  transfers_blocked: false,
  trade_suspended_by_user: false,
  admin_configurations: null,
};

export const CLOCK = {
  timestamp: '2026-10-05T10:30:01.123456789-04:00',
  is_open: true,
  next_open: '2026-10-06T09:30:00-04:00',
  next_close: '2026-10-05T16:00:00-04:00',
};
