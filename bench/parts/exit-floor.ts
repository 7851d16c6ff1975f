import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { WebSocket } from 'ws';
import type { Ticker } from '../../lib/domain/ids.ts';

/**
 * The least that can answer a fill with an exit: one thread, `ws`, `JSON.parse` and a warm undici pool. It keeps no books,
 * checks nothing and would lose track of shares the first time anything went wrong. It enters early in a minute, and from
 * then on whenever an exit fills.
 */
export async function startFloor(url: string, symbols: readonly Ticker[]): Promise<() => Promise<void>> {
  const headers = {
    'apca-api-key-id': 'floor',
    'apca-api-secret-key': 'floor',
    'content-type': 'application/json',
  };
  const pool = new Pool(url, { connections: Math.max(16, symbols.length), keepAliveTimeout: 600_000 });
  const ws = new WebSocket(`${url.replace('http', 'ws')}/stream`, { perMessageDeflate: false });
  let sent = 0;
  let ended = false;

  const send = async (symbol: string, side: 'buy' | 'sell'): Promise<void> => {
    if (ended) return;
    sent += 1;
    const body = JSON.stringify({
      symbol,
      qty: '10',
      side,
      type: 'limit',
      time_in_force: 'day',
      limit_price: '100.00',
      client_order_id: `floor-${sent}`,
    });
    const answer = await pool.request({ path: '/v2/orders', method: 'POST', headers, body });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) console.error(`floor: ${answer.statusCode} ${text}`);
  };

  ws.on('message', (frame: Buffer) => {
    const { stream, data } = JSON.parse(frame.toString());
    if (stream !== 'trade_updates' || data.event !== 'fill') return;
    send(data.order.symbol, data.order.side === 'buy' ? 'sell' : 'buy').catch((error) => {
      if (!ended) console.error('floor:', error);
    });
  });
  await once(ws, 'open');
  ws.send(JSON.stringify({ action: 'auth', key: 'floor', secret: 'floor' }));
  await once(ws, 'message');
  ws.send(JSON.stringify({ action: 'listen', data: { streams: ['trade_updates'] } }));
  await once(ws, 'message');
  const secondOfMinute = async (): Promise<number> => {
    const { body } = await pool.request({ path: '/v2/clock', method: 'GET', headers });
    const { timestamp } = (await body.json()) as { readonly timestamp: string };
    return new Date(timestamp).getUTCSeconds();
  };
  for (let n = 0; n < 50; n++) await secondOfMinute();
  // Later, the prints that its entries are to fill with might come before the entries.
  for (let second = 0; second < 1 || second > ENTER_UNTIL; second = await secondOfMinute()) await pause(1);
  await Promise.all(symbols.map((symbol) => send(symbol, 'buy')));
  return async () => {
    ended = true;
    ws.terminate();
    await pool.destroy();
  };
}

const ENTER_UNTIL = 12;
