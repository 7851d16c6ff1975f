import { unknownMessage } from '../../lib/adapters/alpaca/codec-encode-market.ts';
import {
  authorizationFrame,
  listeningFrame,
  socketError,
  subscriptionFrame,
  success,
} from '../../lib/adapters/alpaca/codec-serve-sockets.ts';
import type { RunSocket } from '../../lib/adapters/alpaca/socket-runner.ts';
import { unreachable } from '../../lib/domain/invariant.ts';
import type { SocketDoors } from '../../lib/engine/direct-feeds.ts';
import type { DataChannel, DataFrame } from '../../lib/sim/data-door.ts';
import type { TradeFrame } from '../../lib/sim/trade-door.ts';
import { marketNode, updateNode } from './corpus.ts';
import { type ClientEnd, frameSockets } from './frame-sockets.ts';
import { type Node, toNode } from './node.ts';

/** What stands between the exchange and a feed: it gets each message as a tree, and puts bytes on the line. */
export type Line = (message: Node, client: ClientEnd) => void;

/** Alpaca's names of the exchange's channels. */
const CHANNEL: Readonly<Record<string, DataChannel>> = {
  trades: 'print',
  quotes: 'quote',
  bars: 'bar',
  updatedBars: 'updatedBar',
  statuses: 'status',
  lulds: 'luld',
};

/** The data feed's sockets on an embedded exchange: its messages as the server would put them on the wire. */
export function dataSockets({ data }: SocketDoors, line: Line): RunSocket {
  return frameSockets((client) => {
    const end = data.connect({
      onOpen: () => client.opened(),
      onRefused: (status) => client.refused(status),
      onFrame: (frame) => line(dataNode(frame), client),
      onPong: () => client.ponged(),
      onGone: (text) => client.gone(text),
    });
    return {
      authenticate: () => end.send({ kind: 'authenticate' }),
      subscribe: (channels, symbols) =>
        end.send({ kind: 'subscribe', channels: channels.map((name) => CHANNEL[name] ?? name), symbols }),
      ping: () => end.ping(),
      close: (politely) => end.close(politely),
    };
  });
}

function dataNode(frame: DataFrame): Node {
  switch (frame.kind) {
    case 'greeting':
      return toNode(success('connected'));
    case 'authenticated':
      return toNode(success('authenticated'));
    case 'error':
      return toNode(socketError(frame.code, frame.text));
    case 'subscribed':
      return toNode(subscriptionFrame((channel) => frame.channels[CHANNEL[channel] ?? channel] ?? []));
    case 'market':
      return marketNode(frame.event);
    case 'unreadable':
      return toNode(unknownMessage('SPY'));
    default:
      return unreachable(frame);
  }
}

export function tradeSockets({ trade }: SocketDoors, line: Line): RunSocket {
  let sequence = 0;
  return frameSockets((client) => {
    const end = trade.connect({
      onOpen: () => client.opened(),
      onRefused: (status) => client.refused(status),
      onFrame: (frame) => {
        sequence += 1;
        line(tradeNode(frame, sequence), client);
      },
      onPong: () => client.ponged(),
      onGone: (text) => client.gone(text),
    });
    return {
      authenticate: () => end.send({ kind: 'authenticate' }),
      subscribe: () => end.send({ kind: 'listen' }),
      ping: () => end.ping(),
      close: (politely) => end.close(politely),
    };
  });
}

function tradeNode(frame: TradeFrame, sequence: number): Node {
  switch (frame.kind) {
    case 'authorized':
    case 'unauthorized':
      return toNode(authorizationFrame(frame.kind, 'authenticate'));
    case 'listening':
      return toNode(listeningFrame(['trade_updates']));
    case 'update':
      return updateNode(frame.update, sequence);
    case 'unreadable':
      return toNode({ stream: 'trade_updates', data: frame.what });
    default:
      return unreachable(frame);
  }
}
